/*
 * The evented connection: connecting, setting up, noticing its loss, connecting again.
 *
 * WAITING → CONNECTING → SETTING_UP → IDLE ⇄ BUSY; from each of them back to WAITING by `lose`.
 */
#include "common/loop.h"
#include "common/mem.h"
#include "common/pg/pg_state.h"

#define RECONNECT_BASE_US (100 * US_PER_MS)
#define RECONNECT_CAP_US (5 * US_PER_S)

static void on_io(void *arg, unsigned ready);

void pg_lose_soon(struct pg *p)
{
    p->lost = true;
    if (p->io)
        loop_io_set(p->io, p->watched = 0);
    loop_timer_start(p->step, 0);
}

void pg_lose_soon_by_conn(struct pg *p)
{
    if (p->error.class == ERR_NONE) {
        p->sqlstate[0] = '\0';
        pg_error_from_conn(p->conn, &p->error);
    }
    pg_lose_soon(p);
}

static void drop_connection(struct pg *p)
{
    loop_timer_stop(p->step);
    loop_io_free(p->io); /* before its fd is closed */
    p->io = NULL;
    PQclear(p->answer);
    p->answer = NULL;
    PQfinish(p->conn);
    p->conn = NULL;
    p->n_prepared = 0;
    p->preparing = NULL;
    p->lost = false;
}

static void lose(struct pg *p)
{
    struct err e = p->error;
    bool busy = p->state == PG_BUSY;

    if (p->state == PG_CONNECTING || p->state == PG_SETTING_UP)
        p->first_host++; /* it may be the silent one */
    drop_connection(p);
    p->error = (struct err){.class = ERR_NONE};
    e.class = ERR_TEMP;
    p->state = PG_WAITING;
    loop_timer_start(p->timer, backoff_next_us(&p->backoff));
    if (busy)
        p->fn(p->fn_arg, NULL, &e);
    p->handlers.down(p->handlers.arg, &e);
}

static void watch(struct pg *p, unsigned events)
{
    if (p->io && p->watched != events)
        loop_io_set(p->io, events);
    p->watched = events;
}

/* Anew, because libpq may have closed the fd and opened another of the same number. */
static void watch_anew(struct pg *p, unsigned events)
{
    loop_io_free(p->io);
    p->io = loop_io_new(p->loop, PQsocket(p->conn), events, on_io, p);
    p->watched = events;
}

/* What stands before dbname is our default, what stands behind overrides the dsn; an empty value is
 * none. */
static PGconn *start_connecting(const struct pg *p)
{
    struct buf lists[PG_LIST_COUNT] = {BUF_INIT, BUF_INIT, BUF_INIT};
    PGconn *conn;

    for (enum pg_host_list list = 0; list < PG_LIST_COUNT; list++)
        pg_hosts_rotate(&p->hosts, list, p->first_host, &lists[list]);
    const char *const keywords[] = {
        "target_session_attrs",
        "keepalives_idle",
        "keepalives_interval",
        "keepalives_count",
        "tcp_user_timeout",
        "dbname",
        "application_name",
        "client_encoding",
        "host",
        "hostaddr",
        "port",
        NULL,
    };
    const char *const values[] = {
        "read-write",
        "10",
        "5",
        "3",
        "20000",
        p->dsn,
        p->application_name,
        "UTF8",
        buf_text(&lists[PG_LIST_HOST]),
        buf_text(&lists[PG_LIST_HOSTADDR]),
        buf_text(&lists[PG_LIST_PORT]),
        NULL,
    };
    conn = PQconnectStartParams(keywords, values, 1);
    for (enum pg_host_list list = 0; list < PG_LIST_COUNT; list++)
        buf_free(&lists[list]);
    return conn;
}

static void connect_now(struct pg *p)
{
    p->sqlstate[0] = '\0';
    p->conn = start_connecting(p);
    if (!p->conn) {
        err_set(&p->error, ERR_TEMP, 0, "PostgreSQL: no memory for a connection");
        lose(p);
        return;
    }
    p->state = PG_CONNECTING;
    loop_timer_start(p->timer, p->connect_timeout_us);
    pg_error_ignore_notices(p->conn);
    if (PQstatus(p->conn) == CONNECTION_BAD)
        pg_lose_soon_by_conn(p);
    else
        watch_anew(p, LOOP_WRITE);
}

void pg_send_what_waits(struct pg *p)
{
    int rc = PQflush(p->conn);

    if (rc < 0)
        pg_lose_soon_by_conn(p);
    else
        watch(p, rc > 0 ? LOOP_READ | LOOP_WRITE : LOOP_READ);
}

static void become_idle(struct pg *p)
{
    if (!PQenterPipelineMode(p->conn)) {
        pg_lose_soon_by_conn(p);
        return;
    }
    loop_timer_stop(p->timer);
    p->state = PG_IDLE;
    p->handlers.up(p->handlers.arg);
}

static void set_up(struct pg *p)
{
    if (PQsetnonblocking(p->conn, 1) != 0) {
        pg_lose_soon_by_conn(p);
        return;
    }
    p->state = PG_SETTING_UP;
    watch_anew(p, LOOP_READ);
    if (p->setup.len == 0)
        become_idle(p);
    else if (!PQsendQuery(p->conn, p->setup.data))
        pg_lose_soon_by_conn(p);
    else
        pg_send_what_waits(p);
}

static void connect_further(struct pg *p)
{
    switch (PQconnectPoll(p->conn)) {
    case PGRES_POLLING_READING:
        watch_anew(p, LOOP_READ);
        break;
    case PGRES_POLLING_OK:
        set_up(p);
        break;
    case PGRES_POLLING_FAILED:
        pg_lose_soon_by_conn(p);
        break;
    case PGRES_POLLING_WRITING:
    case PGRES_POLLING_ACTIVE:
    default:
        watch_anew(p, LOOP_WRITE);
        break;
    }
}

static void on_step(void *arg)
{
    struct pg *p = arg;

    if (p->lost)
        lose(p);
    else if (p->state == PG_CONNECTING)
        connect_further(p);
}

static void on_timer(void *arg)
{
    struct pg *p = arg;

    if (p->state == PG_WAITING) {
        connect_now(p);
        return;
    }
    if (p->error.class == ERR_NONE) {
        p->sqlstate[0] = '\0';
        err_set(
            &p->error, ERR_TEMP, 0, "PostgreSQL: no %s within %lld s",
            p->state == PG_BUSY ? "answer" : "connection",
            (long long)((p->state == PG_BUSY ? p->statement_timeout_us : p->connect_timeout_us) /
                        US_PER_S));
    }
    lose(p);
}

static void read_setup_results(struct pg *p)
{
    while (!PQisBusy(p->conn)) {
        PGresult *r = PQgetResult(p->conn);
        if (!r) {
            if (p->error.class != ERR_NONE || PQstatus(p->conn) == CONNECTION_BAD)
                pg_lose_soon_by_conn(p);
            else
                become_idle(p);
            return;
        }
        if (PQresultStatus(r) == PGRES_FATAL_ERROR && p->error.class == ERR_NONE)
            pg_error_from_result(r, p->sqlstate, &p->error);
        PQclear(r);
    }
}

static void on_io(void *arg, unsigned ready)
{
    struct pg *p = arg;

    if (p->lost)
        return;
    if (p->state == PG_CONNECTING) {
        loop_io_set(p->io, p->watched = 0);
        loop_timer_start(p->step, 0);
        return;
    }
    if ((ready & LOOP_READ) && !PQconsumeInput(p->conn)) {
        pg_lose_soon_by_conn(p);
        return;
    }
    pg_send_what_waits(p);
    if (p->lost)
        return;
    if (p->state == PG_SETTING_UP)
        read_setup_results(p);
    else if (p->state == PG_BUSY)
        pg_read_results(p);
}

struct pg *pg_new(struct loop *l, const struct pg_options *o, const struct pg_handlers *h,
                  struct err *e)
{
    struct pg *p;

    if (pg_error_check_dsn(o->dsn, e) != 0)
        return NULL;
    p = mem_must_alloc(sizeof *p);
    p->loop = l;
    p->handlers = *h;
    p->dsn = mem_must_strdup(o->dsn);
    p->application_name = mem_must_strdup(o->application_name);
    pg_hosts_init(&p->hosts, o->dsn);
    for (const char *const *s = o->setup; s && *s; s++)
        buf_add_fmt(&p->setup, "%s;", *s);
    if (p->setup.failed)
        panic("no memory for the setup of a connection to PostgreSQL");
    p->connect_timeout_us = o->connect_timeout_s * US_PER_S;
    p->statement_timeout_us = o->statement_timeout_us;
    p->backoff = (struct backoff){.base_us = RECONNECT_BASE_US, .cap_us = RECONNECT_CAP_US};
    p->timer = loop_timer_new(l, on_timer, p);
    p->step = loop_timer_new(l, on_step, p);
    loop_timer_start(p->timer, 0);
    return p;
}

void pg_free(struct pg *p)
{
    if (!p)
        return;
    drop_connection(p);
    loop_timer_free(p->timer);
    loop_timer_free(p->step);
    buf_free(&p->setup);
    pg_hosts_free(&p->hosts);
    mem_free(p->dsn);
    mem_free(p->application_name);
    mem_free(p);
}

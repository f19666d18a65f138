/*
 * Statements on the connection. They go in libpq's pipeline mode, so that preparing and executing
 * are one round trip; a result is handed over only behind its sync, that is, once it is committed.
 */
#include <stdio.h>

#include "common/loop.h"
#include "common/pg/pg_state.h"

static void note_error(struct pg *p, const PGresult *r)
{
    if (p->error.class == ERR_NONE)
        pg_error_from_result(r, p->sqlstate, &p->error);
}

static void finish_statement(struct pg *p)
{
    PGresult *answer = p->answer;
    struct err e = p->error;

    if (e.class != ERR_NONE && pg_error_wants_reconnect(p->sqlstate)) {
        pg_lose_soon(p);
        return;
    }
    loop_timer_stop(p->timer);
    p->answer = NULL;
    p->preparing = NULL;
    p->error = (struct err){.class = ERR_NONE};
    p->state = PG_IDLE;
    if (e.class == ERR_NONE)
        backoff_reset(&p->backoff);
    if (e.class == ERR_NONE && !answer)
        panic("PostgreSQL gave neither a result nor an error");
    p->fn(p->fn_arg, e.class == ERR_NONE ? (const struct pg_result *)answer : NULL,
          e.class == ERR_NONE ? NULL : &e);
    PQclear(answer);
}

/* One result of the pipeline; true when it was its sync. */
static bool take_result(struct pg *p, PGresult *r)
{
    ExecStatusType status = PQresultStatus(r);

    if (status == PGRES_COMMAND_OK && p->preparing) {
        p->prepared[p->n_prepared++] = p->preparing;
        p->preparing = NULL;
    } else if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
        PQclear(p->answer);
        p->answer = r;
        return false;
    } else if (status != PGRES_PIPELINE_SYNC && status != PGRES_PIPELINE_ABORTED) {
        note_error(p, r);
    }
    PQclear(r);
    return status == PGRES_PIPELINE_SYNC;
}

void pg_read_results(struct pg *p)
{
    while (!PQisBusy(p->conn)) {
        PGresult *r = PQgetResult(p->conn);
        if (!r && PQstatus(p->conn) == CONNECTION_BAD) {
            pg_lose_soon_by_conn(p);
            return;
        }
        if (r && take_result(p, r)) {
            finish_statement(p);
            return;
        }
    }
}

static size_t find_prepared(const struct pg *p, const char *sql)
{
    size_t i = 0;
    while (i < p->n_prepared && p->prepared[i] != sql)
        i++;
    return i;
}

static bool send_statement(struct pg *p, const char *sql, const struct pg_param *params, int n)
{
    const char *values[PG_PARAMS_MAX];
    int lengths[PG_PARAMS_MAX];
    int formats[PG_PARAMS_MAX];
    char name[16];
    size_t at = find_prepared(p, sql);

    for (int i = 0; i < n; i++) {
        values[i] = params[i].data;
        lengths[i] = params[i].len;
        formats[i] = 1;
    }
    if (at == PG_STATEMENTS_MAX)
        panic("more than %d statements on a connection", PG_STATEMENTS_MAX);
    snprintf(name, sizeof name, "s%zu", at);
    p->preparing = NULL;
    if (at == p->n_prepared) {
        p->preparing = sql;
        if (!PQsendPrepare(p->conn, name, sql, 0, NULL))
            return false;
    }
    return PQsendQueryPrepared(p->conn, name, n, values, lengths, formats, 1) &&
           PQpipelineSync(p->conn);
}

void pg_query(struct pg *p, const char *sql, const struct pg_param *params, int n, pg_result_fn *fn,
              void *arg)
{
    if (!pg_is_ready(p) || n > PG_PARAMS_MAX)
        panic("pg_query while a statement is under way, or with %d parameters", n);
    p->state = PG_BUSY;
    p->sqlstate[0] = '\0';
    p->fn = fn;
    p->fn_arg = arg;
    if (p->statement_timeout_us > 0)
        loop_timer_start(p->timer, p->statement_timeout_us);
    if (send_statement(p, sql, params, n))
        pg_send_what_waits(p);
    else
        pg_lose_soon_by_conn(p);
}

bool pg_is_ready(const struct pg *p)
{
    return p->state == PG_IDLE && !p->lost;
}

bool pg_is_up(const struct pg *p)
{
    return (p->state == PG_IDLE || p->state == PG_BUSY) && !p->lost;
}

const char *pg_last_sqlstate(const struct pg *p)
{
    return p->sqlstate;
}

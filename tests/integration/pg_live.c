/* Databases and waiting for tests on a real PostgreSQL. */
#include "tests/integration/pg_live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/loop.h"
#include "common/pg/pg_sync.h"
#include "tests/check.h"

#define PATIENCE_US (30 * US_PER_S)

const char *live_dsn(void)
{
    const char *dsn = getenv("SENDCODE_TEST_DSN");

    if (!dsn)
        fail_msg("SENDCODE_TEST_DSN is not set: run by ctest, or by tests/integration/"
                 "with_servers.sh");
    return dsn;
}

static struct pg_sync *open_or_fail(const char *dsn)
{
    struct err e;
    struct pg_sync *s = pg_sync_open(dsn, "test", 10, &e);

    if (!s)
        fail_msg("%s", e.text);
    return s;
}

static void run_or_fail(struct pg_sync *s, const char *sql)
{
    struct err e;

    if (pg_sync_run(s, sql, &e) != 0)
        fail_msg("%s: %s", sql, e.text);
}

void live_make_database(struct live_database *d, const char *name)
{
    char sql[160];
    struct pg_sync *s = open_or_fail(live_dsn());

    snprintf(d->name, sizeof d->name, "%s_%d", name, (int)getpid());
    snprintf(d->dsn, sizeof d->dsn, "%s dbname=%s", live_dsn(), d->name);
    snprintf(sql, sizeof sql, "create database %s", d->name);
    run_or_fail(s, sql);
    pg_sync_close(s);
    d->admin = open_or_fail(d->dsn);
}

void live_drop_database(struct live_database *d)
{
    char sql[160];
    struct pg_sync *s = open_or_fail(live_dsn());

    pg_sync_close(d->admin);
    snprintf(sql, sizeof sql, "drop database %s with (force)", d->name);
    run_or_fail(s, sql);
    pg_sync_close(s);
}

void live_sql(struct live_database *d, const char *sql, char *out, size_t size)
{
    struct err e;
    struct pg_sync_rows *rows = pg_sync_exec(d->admin, sql, NULL, 0, &e);
    const char *cell = NULL;

    if (!rows)
        fail_msg("%s: %s", sql, e.text);
    if (pg_sync_count(rows) > 0)
        cell = pg_sync_cell(rows, 0, 0);
    if (out)
        snprintf(out, size, "%s", cell ? cell : "");
    pg_sync_rows_free(rows);
}

void live_sql_file(struct live_database *d, const char *path)
{
    char bytes[4096];
    size_t n;
    struct buf sql = BUF_INIT;
    FILE *f = fopen(path, "r");

    if (!f)
        fail_msg("cannot read %s", path);
    while ((n = fread(bytes, 1, sizeof bytes, f)) > 0)
        buf_add(&sql, bytes, n);
    fclose(f);
    run_or_fail(d->admin, buf_text(&sql));
    buf_free(&sql);
}

struct patience {
    struct loop *loop;
    bool over;
};

static void on_patience_over(void *arg)
{
    struct patience *p = arg;
    p->over = true;
    loop_stop(p->loop);
}

void live_run(struct loop *l, live_done_fn *done, const void *arg)
{
    struct patience patience = {.loop = l};
    struct loop_timer *timer = loop_timer_new(l, on_patience_over, &patience);

    loop_timer_start(timer, PATIENCE_US);
    while (!patience.over && !done(arg))
        loop_run(l);
    loop_timer_free(timer);
    if (patience.over)
        fail_msg("what was waited for has not come in 30 s");
}

static void on_turn_over(void *arg)
{
    loop_stop(arg);
}

void live_turn(struct loop *l)
{
    loop_defer(l, on_turn_over, l);
    loop_run(l);
}

void live_hurt_waiting(struct live_database *d, const char *function)
{
    char text[64];
    char sql[256];

    snprintf(sql, sizeof sql,
             "select count(%s(pid)) from pg_stat_activity where datname = current_database() and "
             "application_name = 'sendcode-worker worker-1' and wait_event_type = 'Lock'",
             function);
    do {
        live_sql(d, "select pg_stat_clear_snapshot()", NULL, 0);
        live_sql(d, sql, text, sizeof text);
    } while (strcmp(text, "0") == 0);
}

/* The evented connection's fixture. */
#include "tests/integration/pg_conn_live.h"

#include <stdio.h>
#include <string.h>

#include "common/loop.h"
#include "tests/check.h"
#include "tests/integration/pg_live.h"

void conn_live_up(void *arg)
{
    struct conn_live *f = arg;
    f->ups++;
    loop_stop(f->loop);
}

static void on_down(void *arg, const struct err *e)
{
    struct conn_live *f = arg;
    f->downs++;
    f->down = *e;
    loop_stop(f->loop);
}

void conn_live_answer(void *arg, const struct pg_result *r, const struct err *e)
{
    struct conn_live *f = arg;

    f->answers++;
    f->error = e ? *e : (struct err){.class = ERR_NONE};
    if (r && pg_rows(r) > 0) {
        snprintf(f->text, sizeof f->text, "%s", pg_text(r, 0, 0) ? pg_text(r, 0, 0) : "null");
        f->number = pg_i64(r, 0, 1);
    }
    loop_stop(f->loop);
}

bool conn_live_is_up(const void *arg)
{
    const struct conn_live *f = arg;
    return pg_is_ready(f->pg);
}

bool conn_live_is_down(const void *arg)
{
    const struct conn_live *f = arg;
    return f->downs > 0;
}

bool conn_live_is_answered(const void *arg)
{
    const struct conn_live *f = arg;
    return f->answers > 0;
}

void conn_live_open(struct conn_live *f, const char *dsn, int64_t statement_timeout_us)
{
    static const char *const setup[] = {"SET timezone = 'Asia/Shanghai'", "SET jit = off", NULL};
    struct pg_options o = {
        .dsn = dsn,
        .application_name = CONN_LIVE_APPLICATION,
        .setup = setup,
        .connect_timeout_s = 1,
        .statement_timeout_us = statement_timeout_us,
    };
    struct pg_handlers h = {.up = conn_live_up, .down = on_down, .arg = f};
    struct err e;

    memset(f, 0, sizeof *f);
    f->loop = loop_new(&e);
    assert_non_null(f->loop);
    f->pg = pg_new(f->loop, &o, &h, &e);
    assert_non_null(f->pg);
}

void conn_live_close(struct conn_live *f)
{
    pg_free(f->pg);
    loop_free(f->loop);
}

void conn_live_open_and_wait(struct conn_live *f, int64_t statement_timeout_us)
{
    conn_live_open(f, live_dsn(), statement_timeout_us);
    live_run(f->loop, conn_live_is_up, f);
}

void conn_live_ask(struct conn_live *f, const char *sql, const struct pg_param *params, int n)
{
    f->answers = 0;
    pg_query(f->pg, sql, params, n, conn_live_answer, f);
    assert_int_equal(f->answers, 0); /* never before it returns */
    assert_false(pg_is_ready(f->pg));
    live_run(f->loop, conn_live_is_answered, f);
    assert_int_equal(f->answers, 1);
}

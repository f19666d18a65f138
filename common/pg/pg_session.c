/* The connection, the check of its schema, and the request that is repeated until it is answered.
 */
#include "common/pg/pg_session.h"

#include <stdio.h>
#include <string.h>

#include "common/backoff.h"
#include "common/err.h"
#include "common/loop.h"
#include "common/mem.h"

#define CONNECT_TIMEOUT_S 10
/* Longer than the server's own, so that a time-out is an answer and the connection stays. */
#define STATEMENT_TIMEOUT_US (20 * US_PER_S)
#define SLOW_US (7 * US_PER_S) /* a statement that takes so long is told; a lock sooner */
#define REPEAT_BASE_US (100 * US_PER_MS)
#define REPEAT_CAP_US (5 * US_PER_S)

static const char schema_sql[] = "select sendcode.schema_version()";

/* What a row may be refused for: data, constraints, a row too many, what a function finds odd. */
static const char *const row_classes[] = {"22", "23", "21", "P0"};

/* The first two: a plan cached while a new partition was empty would scan it ever after. */
static const char *const setup[] = {
    "SET plan_cache_mode = force_generic_plan",
    "SET enable_seqscan = off",
    "SET jit = off",
    "SET synchronous_commit = on",
    "SET default_transaction_isolation = 'read committed'",
    "SET lock_timeout = '5s'",
    "SET statement_timeout = '15s'",
    "SET idle_in_transaction_session_timeout = '15s'",
    NULL,
};

struct pg_session {
    struct pg *pg;
    struct pg_session_handlers handlers;
    const char *role;          /* the group role whose rights it needs */
    struct loop_timer *repeat; /* a pause before the same is asked again */
    struct loop_timer *slow;   /* runs while a statement does */
    struct backoff backoff;
    bool checked;    /* this connection's schema is new enough */
    bool healthy;    /* as last said */
    bool delivering; /* inside answered or row_refused */

    const char *sql; /* the request under way; NULL: none */
    struct pg_param params[PG_PARAMS_MAX];
    int n_params;
    bool of_rows, once;
};

static void advance(struct pg_session *s);

static void say_ill(struct pg_session *s, const char *why)
{
    s->healthy = false;
    s->handlers.health(s->handlers.arg, why);
}

static void say_well(struct pg_session *s)
{
    backoff_reset(&s->backoff);
    if (s->healthy)
        return;
    s->healthy = true;
    s->handlers.health(s->handlers.arg, NULL);
}

static void repeat_later(struct pg_session *s)
{
    if (pg_is_up(s->pg)) /* else it goes on with the next connection */
        loop_timer_start(s->repeat, backoff_next_us(&s->backoff));
}

static void say_schema_fault(struct pg_session *s, const char *why)
{
    say_ill(s, why);
    if (s->handlers.schema_fault)
        s->handlers.schema_fault(s->handlers.arg, why);
}

/* A refusal that no repetition mends by itself: the operator does. */
static void explain_refusal(struct pg_session *s, const struct err *e)
{
    const char *state = pg_last_sqlstate(s->pg);
    struct err why = *e;

    switch (pg_refusal_of(state)) {
    case PG_REFUSAL_SCHEMA:
        err_set(&why, ERR_PERM, 0,
                "PostgreSQL has no schema sendcode that this program can use (SQLSTATE %s): "
                "run sendcodectl migrate",
                state);
        say_schema_fault(s, why.text);
        break;
    case PG_REFUSAL_RIGHTS:
        err_wrap(&why, "the program's database role needs GRANT %s", s->role);
        say_schema_fault(s, why.text);
        break;
    case PG_REFUSAL_OTHER:
        say_ill(s, why.text);
        break;
    }
}

static void note_failure(struct pg_session *s, const struct err *e)
{
    if (e->class == ERR_PERM)
        explain_refusal(s, e);
    else if (pg_is_up(s->pg)) /* a loss is told by on_down */
        say_ill(s, e->text);
    repeat_later(s);
}

static bool is_of_class(const struct pg_session *s, const char *class)
{
    return strncmp(pg_last_sqlstate(s->pg), class, 2) == 0;
}

static void finish_request(struct pg_session *s, const struct pg_result *r, const struct err *e)
{
    s->sql = NULL;
    s->delivering = true;
    if (r) {
        s->handlers.answered(s->handlers.arg, r);
    } else {
        struct pg_row_refusal why = {.of_data = is_of_class(s, "22"), .text = e->text};
        s->handlers.row_refused(s->handlers.arg, &why);
    }
    s->delivering = false;
    advance(s);
}

static bool is_row_refusal(const struct pg_session *s, const struct err *e)
{
    if (e->class != ERR_PERM)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(row_classes); i++) {
        if (is_of_class(s, row_classes[i]))
            return true;
    }
    return false;
}

static void on_answer(void *arg, const struct pg_result *r, const struct err *e)
{
    struct pg_session *s = arg;

    loop_timer_stop(s->slow);
    if (r || (s->of_rows && is_row_refusal(s, e))) {
        say_well(s);
        finish_request(s, r, e);
    } else if (s->once) {
        finish_request(s, NULL, e);
    } else {
        note_failure(s, e);
    }
}

static void on_schema_version(void *arg, const struct pg_result *r, const struct err *e)
{
    struct pg_session *s = arg;
    char why[128];

    if (!r) {
        note_failure(s, e);
        return;
    }
    s->checked = pg_rows(r) == 1 && pg_i32(r, 0, 0) >= PG_SCHEMA_NEEDED;
    if (s->checked) {
        if (!s->sql) /* else its answer is the proof */
            say_well(s);
        advance(s);
        return;
    }
    snprintf(
        why, sizeof why,
        "the schema in PostgreSQL is version %d, this program needs %d: run sendcodectl migrate",
        pg_rows(r) == 1 ? (int)pg_i32(r, 0, 0) : 0, PG_SCHEMA_NEEDED);
    say_schema_fault(s, why);
    repeat_later(s);
}

static void try(struct pg_session *s)
{
    if (s->handlers.before_try)
        s->handlers.before_try(s->handlers.arg, s->params);
    loop_timer_start(s->slow, SLOW_US);
    pg_query(s->pg, s->sql, s->params, s->n_params, on_answer, s);
}

/* Does what is next, if anything can be done now. */
static void advance(struct pg_session *s)
{
    if (!pg_is_ready(s->pg) || loop_timer_pending(s->repeat))
        return;
    if (!s->checked)
        pg_query(s->pg, schema_sql, NULL, 0, on_schema_version, s);
    else if (s->sql)
        try(s);
    else
        s->handlers.idle(s->handlers.arg);
}

static void on_repeat(void *arg)
{
    advance(arg);
}

static void on_slow(void *arg)
{
    say_ill(arg, "PostgreSQL: a statement is without an answer for 7 s");
}

static void on_up(void *arg)
{
    struct pg_session *s = arg;

    s->checked = false;
    loop_timer_stop(s->repeat);
    advance(s);
}

static void on_down(void *arg, const struct err *e)
{
    struct pg_session *s = arg;

    s->checked = false;
    say_ill(s, e->text);
}

bool pg_session_can_ask(const struct pg_session *s)
{
    return s->checked && !s->sql && !s->delivering && pg_is_ready(s->pg);
}

void pg_session_ask(struct pg_session *s, const char *sql, const struct pg_param *params, int n,
                    bool of_rows)
{
    if (s->sql)
        panic("a request to PostgreSQL while another is under way");
    s->sql = sql;
    if (n > 0)
        memcpy(s->params, params, (size_t)n * sizeof *params);
    s->n_params = n;
    s->of_rows = of_rows;
    s->once = false;
    if (!s->delivering)
        advance(s);
}

void pg_session_ask_once(struct pg_session *s, const char *sql, const struct pg_param *params,
                         int n)
{
    pg_session_ask(s, sql, params, n, true);
    s->once = true; /* no answer comes before this returns */
}

struct pg_session *pg_session_new(struct loop *l, const struct pg_session_options *o,
                                  const struct pg_session_handlers *h, struct err *e)
{
    struct pg_session *s = mem_must_alloc(sizeof *s);
    struct pg_handlers handlers = {.up = on_up, .down = on_down, .arg = s};
    struct pg_options options = {
        .dsn = o->dsn,
        .application_name = o->application_name,
        .setup = setup,
        .connect_timeout_s = CONNECT_TIMEOUT_S,
        .statement_timeout_us = STATEMENT_TIMEOUT_US,
    };

    s->handlers = *h;
    s->role = o->role;
    s->backoff = (struct backoff){.base_us = REPEAT_BASE_US, .cap_us = REPEAT_CAP_US};
    s->repeat = loop_timer_new(l, on_repeat, s);
    s->slow = loop_timer_new(l, on_slow, s);
    s->pg = pg_new(l, &options, &handlers, e);
    if (!s->pg) {
        pg_session_free(s);
        return NULL;
    }
    return s;
}

void pg_session_free(struct pg_session *s)
{
    if (!s)
        return;
    pg_free(s->pg);
    loop_timer_free(s->repeat);
    loop_timer_free(s->slow);
    mem_free(s);
}

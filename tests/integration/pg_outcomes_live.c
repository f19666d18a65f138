/* The outcomes adapter's fixture. */
#include "tests/integration/pg_outcomes_live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "common/loop.h"
#include "tests/check.h"

static void on_recorded(void *arg, const struct outcome_answer *answers, size_t n)
{
    struct outcomes_live *f = arg;

    assert_false(f->port.can_ask(f->port.self));
    for (size_t i = 0; i < n; i++) {
        uint64_t ticket = answers[i].ticket;
        const char *trace = answers[i].status.traceparent;
        assert_true(ticket < OUTCOMES_BATCH);
        f->answered[ticket]++;
        f->refused[ticket] = answers[i].refused_row;
        f->odd[ticket] = answers[i].odd_row;
        f->answer = answers[i];
        snprintf(f->traceparent, sizeof f->traceparent, "%s", trace ? trace : "");
    }
}

static void on_noted(void *arg, const uint64_t *tickets, size_t n)
{
    struct outcomes_live *f = arg;
    for (size_t i = 0; i < n; i++)
        f->answered[tickets[i]]++;
}

static void on_outbox(void *arg, const struct outbox_row *rows, size_t n)
{
    struct outcomes_live *f = arg;

    assert_int_equal(n, 2);
    assert_int_equal(rows[0].id, 71);
    assert_string_equal(rows[1].status.job_id, "out-2");
    assert_int_equal(rows[1].status.state, JOB_UNKNOWN);
    assert_int_equal(rows[1].status.reason, REASON_DEADLINE);
    assert_false(rows[1].status.has_retry_after);
    assert_null(rows[1].status.serial_no);
    f->outboxes++;
}

static void on_swept(void *arg)
{
    struct outcomes_live *f = arg;
    f->sweeps++;
}

static void on_in_doubt(void *arg, int64_t jobs)
{
    struct outcomes_live *f = arg;
    f->in_doubt = jobs;
}

static void on_parked(void *arg, const struct parked_job *jobs, size_t n, int64_t asked_us)
{
    struct outcomes_live *f = arg;

    f->takes++;
    f->n_parked = n;
    for (size_t i = 0; i < n && i < ARRAY_LEN(f->parked); i++) {
        f->parked[i].kind = jobs[i].kind;
        f->parked[i].lease = jobs[i].lease;
        f->parked[i].day_us = jobs[i].day_us;
        f->parked[i].attempt = jobs[i].attempt;
        f->parked[i].epoch = jobs[i].epoch;
        snprintf(f->parked[i].job_id, sizeof f->parked[i].job_id, "%s", jobs[i].job_id);
    }
    f->asked_us = asked_us;
}

static void on_settled(void *arg, const struct settlement_answer *a)
{
    struct outcomes_live *f = arg;

    assert_true(a->ticket < OUTCOMES_BATCH);
    f->answered[a->ticket]++;
    f->how = a->how;
    f->settled_state = a->status.state;
    snprintf(f->settled_job, sizeof f->settled_job, "%s", a->status.job_id ? a->status.job_id : "");
}

static void on_rate_share(void *arg, int64_t per_s, int64_t valid_us)
{
    struct outcomes_live *f = arg;

    f->shares++;
    f->per_s = per_s;
    f->valid_us = valid_us;
}

static void on_idle(void *arg)
{
    struct outcomes_live *f = arg;

    assert_true(f->port.can_ask(f->port.self));
    f->idle = true;
    loop_stop(f->loop);
}

static void on_health(void *arg, const char *why)
{
    struct outcomes_live *f = arg;
    *(why ? &f->ills : &f->wells) += 1;
    loop_stop(f->loop);
}

static void on_log(void *arg, const char *line, size_t len)
{
    struct outcomes_live *f = arg;

    if (!strstr(line, "level=error"))
        return;
    f->errors_logged++;
    snprintf(f->error, sizeof f->error, "%.*s", (int)len, line);
}

bool outcomes_live_is_idle(const void *arg)
{
    const struct outcomes_live *f = arg;
    return f->idle;
}

bool outcomes_live_is_ill(const void *arg)
{
    const struct outcomes_live *f = arg;
    return f->ills > 0;
}

struct outcomes_handlers outcomes_live_handlers(struct outcomes_live *f)
{
    return (struct outcomes_handlers){
        .arg = f,
        .recorded = on_recorded,
        .noted = on_noted,
        .outbox = on_outbox,
        .swept = on_swept,
        .idle = on_idle,
        .health = on_health,
        .in_doubt = on_in_doubt,
        .parked = on_parked,
        .settled = on_settled,
        .rate_share = on_rate_share,
    };
}

void outcomes_live_start_adapter(struct outcomes_live *f, const char *dsn,
                                 const struct outcomes_handlers *h)
{
    static char jobs[] = "jobs";
    static char name[] = "worker-1";
    struct outcomes_handlers own = outcomes_live_handlers(f);
    struct err e;
    char *own_dsn = strdup(dsn);

    f->settings.topics.jobs = jobs;
    f->settings.worker.name = name;
    f->settings.postgres.dsn = own_dsn;
    f->settings.tencent.doubt_grace = 60;
    f->settings.tencent.resend_after_doubt = true;
    f->loop = loop_new(&e);
    assert_non_null(f->loop);
    f->adapter = pg_outcomes_new(f->loop, &f->settings, h ? h : &own, &e);
    assert_non_null(f->adapter);
    f->port = pg_outcomes_port(f->adapter);
    free(own_dsn); /* it was needed during the call only */
    live_run(f->loop, outcomes_live_is_idle, f);
    log_set_sink(on_log, f);
}

void outcomes_live_stop_adapter(struct outcomes_live *f)
{
    log_set_sink(NULL, NULL);
    pg_outcomes_free(f->adapter);
    loop_free(f->loop);
}

void outcomes_live_start(struct outcomes_live *f, const struct outcomes_handlers *h)
{
    memset(f, 0, sizeof *f);
    live_make_database(&f->db, "pg_outcomes");
    live_sql_file(&f->db, STUB);
    outcomes_live_start_adapter(f, f->db.dsn, h);
}

void outcomes_live_stop(struct outcomes_live *f)
{
    outcomes_live_stop_adapter(f);
    live_drop_database(&f->db);
}

void outcomes_live_finish(struct outcomes_live *f)
{
    f->idle = false;
    assert_false(f->port.can_ask(f->port.self));
    live_run(f->loop, outcomes_live_is_idle, f);
}

void outcomes_live_heard(struct outcomes_live *f, char *out, size_t size)
{
    live_sql(&f->db, "select string_agg(what, ' ' order by what) from sendcode.heard", out, size);
}

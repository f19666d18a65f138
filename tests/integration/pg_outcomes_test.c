/* The outcomes adapter against functions that give back what they got (pg_stub.sql). */
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/settings/settings.h"
#include "tests/check.h"
#include "tests/integration/pg_live.h"
#include "worker/pg/pg_outcomes.h"

#define STUB SENDCODE_SOURCE_DIR "/tests/integration/pg_stub.sql"
#define DAY_US INT64_C(1795305600000000) /* 2026-11-22 */
#define BATCH 20

struct fixture {
    struct live_database db;
    struct settings settings;
    struct loop *loop;
    struct pg_outcomes *adapter;
    struct outcomes port;
    int answered[BATCH]; /* how often, by ticket */
    bool refused[BATCH];
    bool idle;
    int sweeps, outboxes, errors_logged;
    int64_t in_doubt;
};

static void on_recorded(void *arg, const struct outcome_answer *answers, size_t n)
{
    struct fixture *f = arg;

    assert_false(f->port.can_ask(f->port.self));
    for (size_t i = 0; i < n; i++) {
        assert_true(answers[i].ticket < BATCH);
        f->answered[answers[i].ticket]++;
        f->refused[answers[i].ticket] = answers[i].refused_row;
    }
}

static void on_noted(void *arg, const uint64_t *tickets, size_t n)
{
    struct fixture *f = arg;
    for (size_t i = 0; i < n; i++)
        f->answered[tickets[i]]++;
}

static void on_outbox(void *arg, const struct outbox_row *rows, size_t n)
{
    struct fixture *f = arg;

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
    struct fixture *f = arg;
    f->sweeps++;
}

static void on_in_doubt(void *arg, int64_t jobs)
{
    struct fixture *f = arg;
    f->in_doubt = jobs;
}

static void on_idle(void *arg)
{
    struct fixture *f = arg;
    assert_true(f->port.can_ask(f->port.self));
    f->idle = true;
    loop_stop(f->loop);
}

static void on_health(void *arg, const char *why)
{
    (void)arg;
    assert_null(why);
}

static void on_log(void *arg, const char *line, size_t len)
{
    struct fixture *f = arg;
    (void)len;
    f->errors_logged += strstr(line, "level=error") != NULL;
}

static bool is_idle(const void *arg)
{
    const struct fixture *f = arg;
    return f->idle;
}

static void start(struct fixture *f,
                  void (*recorded)(void *, const struct outcome_answer *, size_t))
{
    static char jobs[] = "jobs";
    static char name[] = "worker-1";
    struct outcomes_handlers h = {.arg = f,
                                  .recorded = recorded,
                                  .noted = on_noted,
                                  .outbox = on_outbox,
                                  .swept = on_swept,
                                  .idle = on_idle,
                                  .health = on_health,
                                  .in_doubt = on_in_doubt};
    struct err e;

    memset(f, 0, sizeof *f);
    live_make_database(&f->db, "pg_outcomes");
    live_sql_file(&f->db, STUB);
    f->settings.topics.jobs = jobs;
    f->settings.worker.name = name;
    f->settings.postgres.dsn = f->db.dsn;
    f->loop = loop_new(&e);
    assert_non_null(f->loop);
    f->adapter = pg_outcomes_new(f->loop, &f->settings, &h, &e);
    assert_non_null(f->adapter);
    f->port = pg_outcomes_port(f->adapter);
    live_run(f->loop, is_idle, f);
    log_set_sink(on_log, f);
}

static void stop(struct fixture *f)
{
    log_set_sink(NULL, NULL);
    pg_outcomes_free(f->adapter);
    loop_free(f->loop);
    live_drop_database(&f->db);
}

/* Waits for the end of the request just made. */
static void finish(struct fixture *f)
{
    f->idle = false;
    assert_false(f->port.can_ask(f->port.self));
    live_run(f->loop, is_idle, f);
}

static void on_mapped(void *arg, const struct outcome_answer *answers, size_t n)
{
    struct fixture *f = arg;
    const struct job_status *s = &answers[1].status;

    assert_int_equal(n, 2);
    assert_int_equal(answers[0].ticket, 1); /* the functions answer backwards */
    assert_false(answers[0].applied);
    assert_false(answers[0].status.has_retry_after);
    assert_null(answers[0].status.provider_code);
    assert_string_equal(answers[0].status.traceparent, "0/0/not_sent/0");
    assert_int_equal(answers[1].ticket, 0);
    assert_true(answers[1].applied);
    assert_true(answers[1].duplicate_send);
    assert_string_equal(s->job_id, "job-1");
    assert_string_equal(s->phone, "worker-1");
    assert_string_equal(s->scene, "jobs");
    assert_int_equal(s->state, JOB_LIMITED);
    assert_int_equal(s->reason, REASON_PROVIDER_LIMIT);
    assert_int_equal(s->seq, 3);
    assert_string_equal(s->provider_code, "LimitExceeded.X");
    assert_string_equal(s->serial_no, "serial");
    assert_int_equal(s->attempt, 2);
    assert_true(s->has_retry_after);
    assert_int_equal(s->retry_after, 0);
    assert_int_equal(s->at_us, DAY_US);
    assert_string_equal(s->traceparent, "1500/80/refused/200/request/4");
    assert_string_equal(s->tracestate,
                        "7070707070707070707070707070707070707070707070707070707070707070");
    f->answered[0]++;
}

static void each_value_finds_its_parameter_and_its_way_back(void **state)
{
    struct fixture f;
    struct outcome rows[] = {
        {.ticket = 0,
         .job_id = "job-1",
         .day_us = DAY_US,
         .partition = 3,
         .epoch = 2,
         .attempt = 2,
         .age_us = 1500 * US_PER_MS,
         .duration_us = 80 * US_PER_MS,
         .outcome = ATTEMPT_REFUSED,
         .state = JOB_LIMITED,
         .reason = REASON_PROVIDER_LIMIT,
         .has_retry_after = true,
         .http_status = 200,
         .provider_code = "LimitExceeded.X",
         .request_id = "request",
         .serial_no = "serial",
         .fee = 4},
        {.ticket = 1,
         .job_id = "job-2",
         .day_us = DAY_US,
         .outcome = ATTEMPT_NOT_SENT,
         .state = JOB_RETRY,
         .provider_code = "",
         .serial_no = ""   }
    };

    (void)state;
    memset(rows[0].proof, 'p', sizeof rows[0].proof);
    start(&f, on_mapped);
    f.port.record(f.port.self, rows, 2);
    finish(&f);
    assert_int_equal(f.answered[0], 1);
    stop(&f);
}

static void a_refused_outcome_stands_alone_and_the_others_go_through(void **state)
{
    struct fixture f;
    struct outcome rows[BATCH];
    char ids[BATCH][32];

    (void)state;
    memset(rows, 0, sizeof rows);
    start(&f, on_recorded);
    for (int i = 0; i < BATCH; i++) {
        snprintf(ids[i], sizeof ids[i], "%s-%d", i == 13 ? "poison-key" : "job", i);
        rows[i].ticket = (uint64_t)i;
        rows[i].job_id = ids[i];
        rows[i].state = JOB_SENT;
    }
    f.port.record(f.port.self, rows, BATCH);
    finish(&f);
    for (int i = 0; i < BATCH; i++) {
        assert_int_equal(f.answered[i], 1);
        assert_int_equal(f.refused[i], i == 13);
    }
    stop(&f);
}

static void a_refused_note_is_logged_and_the_others_go_through(void **state)
{
    struct fixture f;
    const struct note notes[] = {
        {.ticket = 0, .partition = 1, .incarnation = 1, .offset = 5, .reason = "json"       },
        {.ticket = 1, .partition = 1, .incarnation = 1, .offset = 6, .reason = "poison-data"},
        {.ticket = 2, .partition = 2, .incarnation = 3, .offset = 7, .gap_end = 9           },
    };
    char heard[128];

    (void)state;
    start(&f, on_recorded);
    f.port.note(f.port.self, notes, ARRAY_LEN(notes));
    finish(&f);
    for (size_t i = 0; i < ARRAY_LEN(notes); i++)
        assert_int_equal(f.answered[i], 1);
    assert_int_equal(f.errors_logged, 1);
    live_sql(&f.db, "select string_agg(what, ' ' order by what) from sendcode.heard", heard,
             sizeof heard);
    assert_string_equal(heard, "jobs/1/1/5/json jobs/2/3/7/9");
    stop(&f);
}

static void chores_are_answered(void **state)
{
    struct fixture f;
    const int64_t ids[] = {71, 72};
    char heard[128];

    (void)state;
    start(&f, on_recorded);
    f.port.sweep(f.port.self);
    finish(&f);
    assert_int_equal(f.sweeps, 1);
    assert_int_equal(f.in_doubt, 3);
    f.port.take_outbox(f.port.self);
    finish(&f);
    assert_int_equal(f.outboxes, 1);
    f.port.outbox_done(f.port.self, ids, 2);
    finish(&f);
    live_sql(&f.db, "select what from sendcode.heard", heard, sizeof heard);
    assert_string_equal(heard, "done/71,72");
    stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_value_finds_its_parameter_and_its_way_back),
        cmocka_unit_test(a_refused_outcome_stands_alone_and_the_others_go_through),
        cmocka_unit_test(a_refused_note_is_logged_and_the_others_go_through),
        cmocka_unit_test(chores_are_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

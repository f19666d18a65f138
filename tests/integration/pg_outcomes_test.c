/* The outcomes adapter against functions that give back what they got (pg_stub.sql). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/loop.h"
#include "tests/check.h"
#include "tests/integration/pg_outcomes_live.h"

/* The age that was sent is the row's, and what passed until it was sent. */
static void check_age(const char *text, long least_ms, const char *rest)
{
    char *end;
    long ms = strtol(text, &end, 10);

    assert_string_equal(end, rest);
    assert_true(ms >= least_ms && ms < least_ms + 30 * 1000);
}

static void on_mapped(void *arg, const struct outcome_answer *answers, size_t n)
{
    struct outcomes_live *f = arg;
    const struct job_status *s = &answers[1].status;

    assert_int_equal(n, 2);
    assert_int_equal(answers[0].ticket, 1); /* the functions answer backwards */
    assert_false(answers[0].applied);
    assert_false(answers[0].status.has_retry_after);
    assert_null(answers[0].status.provider_code);
    check_age(answers[0].status.traceparent, 0, "/0/not_sent/0");
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
    assert_int_equal(s->at_us, OUTCOMES_DAY_US);
    check_age(s->traceparent, 1500, "/80/refused/200/request/4");
    assert_string_equal(s->tracestate,
                        "7070707070707070707070707070707070707070707070707070707070707070");
    f->answered[0]++;
}

static void each_value_finds_its_parameter_and_its_way_back(void **state)
{
    struct outcomes_live f;
    struct outcomes_handlers h;
    struct outcome rows[] = {
        {.ticket = 0,
         .job_id = "job-1",
         .day_us = OUTCOMES_DAY_US,
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
         .day_us = OUTCOMES_DAY_US,
         .outcome = ATTEMPT_NOT_SENT,
         .state = JOB_RETRY,
         .provider_code = "",
         .serial_no = ""   }
    };

    (void)state;
    memset(rows[0].proof, 'p', sizeof rows[0].proof);
    h = outcomes_live_handlers(&f);
    h.recorded = on_mapped;
    outcomes_live_start(&f, &h);
    f.port.record(f.port.self, rows, 2);
    outcomes_live_finish(&f);
    assert_int_equal(f.answered[0], 1);
    outcomes_live_stop(&f);
}

static void a_refused_outcome_stands_alone_and_the_others_go_through(void **state)
{
    struct outcomes_live f;
    struct outcome rows[OUTCOMES_BATCH];
    char ids[OUTCOMES_BATCH][32];

    (void)state;
    memset(rows, 0, sizeof rows);
    outcomes_live_start(&f, NULL);
    for (int i = 0; i < OUTCOMES_BATCH; i++) {
        snprintf(ids[i], sizeof ids[i], "%s-%d",
                 i == 13   ? "poison-data"
                 : i == 14 ? "poison-key"
                           : "job",
                 i);
        rows[i].ticket = (uint64_t)i;
        rows[i].job_id = ids[i];
        rows[i].state = JOB_SENT;
    }
    f.port.record(f.port.self, rows, OUTCOMES_BATCH);
    outcomes_live_finish(&f);
    for (int i = 0; i < OUTCOMES_BATCH; i++) {
        assert_int_equal(f.answered[i], 1);
        assert_int_equal(f.refused[i], i == 13);
        assert_int_equal(f.odd[i], i == 14);
    }
    outcomes_live_stop(&f);
}

static void a_refused_note_is_logged_and_the_others_go_through(void **state)
{
    struct outcomes_live f;
    const struct note notes[] = {
        {.ticket = 0, .partition = 1, .incarnation = 1, .offset = 5, .reason = "json"       },
        {.ticket = 1, .partition = 1, .incarnation = 1, .offset = 6, .reason = "poison-data"},
        {.ticket = 2, .partition = 2, .incarnation = 3, .offset = 7, .gap_end = 9           },
    };
    char heard[128];

    (void)state;
    outcomes_live_start(&f, NULL);
    f.port.note(f.port.self, notes, ARRAY_LEN(notes));
    outcomes_live_finish(&f);
    for (size_t i = 0; i < ARRAY_LEN(notes); i++)
        assert_int_equal(f.answered[i], 1);
    assert_int_equal(f.errors_logged, 1);
    outcomes_live_heard(&f, heard, sizeof heard);
    assert_string_equal(heard, "jobs/1/1/5/json jobs/2/3/7/9");
    outcomes_live_stop(&f);
}

static void chores_are_answered(void **state)
{
    struct outcomes_live f;
    const int64_t ids[] = {71, 72};
    char heard[128];

    (void)state;
    outcomes_live_start(&f, NULL);
    f.port.sweep(f.port.self);
    outcomes_live_finish(&f);
    assert_int_equal(f.sweeps, 1);
    assert_int_equal(f.in_doubt, 3);
    f.port.take_outbox(f.port.self);
    outcomes_live_finish(&f);
    assert_int_equal(f.outboxes, 1);
    f.port.outbox_done(f.port.self, ids, 2);
    outcomes_live_finish(&f);
    outcomes_live_heard(&f, heard, sizeof heard);
    assert_string_equal(heard, "done/71,72");
    outcomes_live_stop(&f);
}

/* Else one row edited by hand would hold up the outcomes of all other jobs. */
static void a_chore_that_is_refused_is_over_and_said_at_intervals(void **state)
{
    struct outcomes_live f;
    struct outcome row = {.job_id = "job-1", .state = JOB_SENT};

    (void)state;
    outcomes_live_start(&f, NULL);
    live_sql(&f.db, "insert into sendcode.heard values ('poison-key')", NULL, 0);
    for (int i = 1; i <= 3; i++) {
        f.port.sweep(f.port.self);
        outcomes_live_finish(&f);
        assert_int_equal(f.sweeps, i);
    }
    assert_int_equal(f.in_doubt, 0);
    assert_int_equal(f.errors_logged, 1);
    assert_non_null(strstr(f.error, "call=sweep"));
    assert_non_null(strstr(f.error, "SQLSTATE 23505"));
    f.port.record(f.port.self, &row, 1);
    outcomes_live_finish(&f);
    assert_int_equal(f.answered[0], 1);
    assert_int_equal(f.ills, 0);
    outcomes_live_stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_value_finds_its_parameter_and_its_way_back),
        cmocka_unit_test(a_refused_outcome_stands_alone_and_the_others_go_through),
        cmocka_unit_test(a_refused_note_is_logged_and_the_others_go_through),
        cmocka_unit_test(chores_are_answered),
        cmocka_unit_test(a_chore_that_is_refused_is_over_and_said_at_intervals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

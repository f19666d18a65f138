/* The outcomes adapter's requests about parked jobs and the shared rate, against pg_stub.sql. */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/loop.h"
#include "tests/check.h"
#include "tests/integration/pg_outcomes_live.h"

static void on_taken(void *arg, const struct parked_job *jobs, size_t n, int64_t asked_us)
{
    struct outcomes_live *f = arg;
    const struct parked_job *j = &jobs[0];

    assert_int_equal(n, 2); /* the two that cannot be are left out */
    assert_int_equal(j->kind, PARKED_DOUBT);
    assert_int_equal(j->lease, 7);
    assert_string_equal(j->job_id, "job-1");
    assert_int_equal(j->day_us, OUTCOMES_DAY_US);
    assert_string_equal(j->phone, "+8613800138000");
    assert_string_equal(j->scene, "login");
    assert_string_equal(j->locale, "zh-CN");
    assert_int_equal(j->requested_us, OUTCOMES_DAY_US + 8 * 3600 * US_PER_S + 500 * US_PER_MS);
    assert_int_equal(j->deadline_us, OUTCOMES_DAY_US + (8 * 3600 + 300) * US_PER_S);
    assert_int_equal(j->partition, 3);
    assert_int_equal(j->incarnation, 2);
    assert_int_equal(j->offset, 1234567890123);
    assert_int_equal(j->epoch, 9);
    assert_int_equal(j->attempt, 4);
    assert_int_equal(j->claimed_ago_us, 2500 * US_PER_MS);
    assert_int_equal(jobs[1].kind, PARKED_RETRY);
    assert_string_equal(jobs[1].job_id, "job-3");
    assert_null(jobs[1].locale);
    f->asked_us = asked_us;
    f->takes++;
}

static void jobs_are_taken_and_what_cannot_be_is_left_out(void **state)
{
    struct outcomes_live f;
    struct outcomes_handlers h = outcomes_live_handlers(&f);
    struct parked_ask ask = {.doubts = 5, .retries = 11};
    int64_t before_us;
    char heard[256];

    (void)state;
    h.parked = on_taken;
    outcomes_live_start(&f, &h);
    before_us = clock_boot_us();
    f.port.take_parked(f.port.self, &ask);
    memset(&ask, 0xee, sizeof ask); /* all was copied */
    outcomes_live_finish(&f);
    assert_int_equal(f.takes, 1);
    assert_true(f.asked_us >= before_us && f.asked_us <= clock_boot_us());
    assert_int_equal(f.errors_logged, 2);
    outcomes_live_heard(&f, heard, sizeof heard);
    assert_string_equal(heard, "worker-1/jobs/5/11/30000/10/60000");
    outcomes_live_stop(&f);
}

static void a_settlement_finds_its_parameters(void **state)
{
    static const struct settlement_record records[] = {
        {"serial-1", 1500 * US_PER_MS,  true,  JOB_SENT,     REASON_NONE,           ""},
        {"serial-2", -2500 * US_PER_MS, false, JOB_LIMITED,  REASON_PROVIDER_LIMIT,
         "LimitExceeded.X"                                                            },
        {"",         0,                 false, JOB_IN_DOUBT, REASON_NONE,           ""},
    };
    struct settlement s = {.ticket = 3,
                           .job_id = "open-1",
                           .day_us = OUTCOMES_DAY_US,
                           .lease = 7,
                           .attempt = 2,
                           .why = "a page is missing",
                           .records = records,
                           .n_records = ARRAY_LEN(records)};
    struct settlement empty = {.ticket = 4, .job_id = "unsent-1", .whole = true};
    struct outcomes_live f;
    struct settings changed;
    char heard[512];

    (void)state;
    outcomes_live_start(&f, NULL);
    f.port.settle(f.port.self, &s);
    memset(&s, 0xee, sizeof s);
    outcomes_live_finish(&f);
    assert_int_equal(f.answered[3], 1);
    assert_int_equal(f.how, SETTLED_OPEN);
    assert_string_equal(f.settled_job, "open-1");
    changed = f.settings;
    changed.tencent.doubt_grace = 90;
    changed.tencent.resend_after_doubt = false;
    pg_outcomes_set_settings(f.adapter, &changed);
    f.port.settle(f.port.self, &empty);
    outcomes_live_finish(&f);
    assert_int_equal(f.how, SETTLED_UNSENT);
    outcomes_live_heard(&f, heard, sizeof heard);
    assert_string_equal(heard, "worker-1/open-1/2026-11-22/7/2/60000/t/f/a page is missing/"
                               "serial-1,serial-2,/1500,-2500,0/t,f,f/null,limited,in_doubt/"
                               "null,provider_limit,null/,LimitExceeded.X, "
                               "worker-1/unsent-1/1970-01-01/0/0/90000/f/t/null//////");
    outcomes_live_stop(&f);
}

static void ways_to_settle_are_told_apart_and_what_cannot_be_is_odd(void **state)
{
    static const struct {
        const char *job_id;
        enum settled how;
        bool logged;
    } cases[] = {
        {"sent-1",      SETTLED_SENT,      false},
        {"refused-1",   SETTLED_REFUSED,   false},
        {"unsent-1",    SETTLED_UNSENT,    false},
        {"ambiguous-1", SETTLED_AMBIGUOUS, false},
        {"open-1",      SETTLED_OPEN,      false},
        {"passed-1",    SETTLED_PASSED,    false},
        {"odd-1",       SETTLED_ODD,       false},
        {"elsewhere-1", SETTLED_ODD,       true }, /* a way that is not known */
        {"open-state",  SETTLED_ODD,       true }, /* a state that is not known */
        {"open-reason", SETTLED_ODD,       true },
        {"open-nobody", SETTLED_ODD,       true }, /* no job_id */
        {"open-none",   SETTLED_ODD,       true }, /* no row */
        {"poison-key",  SETTLED_ODD,       true }, /* refused */
        {"poison-data", SETTLED_ODD,       true },
    };
    struct outcomes_live f;

    (void)state;
    outcomes_live_start(&f, NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct settlement s = {.ticket = i, .job_id = cases[i].job_id};
        bool named = cases[i].how != SETTLED_ODD && cases[i].how != SETTLED_PASSED;
        f.errors_logged = 0;
        f.port.settle(f.port.self, &s);
        outcomes_live_finish(&f);
        assert_int_equal(f.answered[i], 1);
        assert_int_equal(f.how, cases[i].how);
        assert_string_equal(f.settled_job, named ? cases[i].job_id : "");
        assert_int_equal(f.errors_logged, cases[i].logged);
        if (cases[i].logged)
            assert_non_null(strstr(f.error, cases[i].job_id));
    }
    assert_int_equal(f.ills, 0);
    outcomes_live_stop(&f);
}

static void leases_are_released_and_the_rate_is_shared(void **state)
{
    const struct parked_release rows[] = {
        {"job-1", OUTCOMES_DAY_US,                    7, 0               },
        {"job-2", OUTCOMES_DAY_US + 86400 * US_PER_S, 8, 1500 * US_PER_MS},
    };
    struct outcomes_live f;
    int64_t before_us;
    char text[256];

    (void)state;
    outcomes_live_start(&f, NULL);
    f.port.release(f.port.self, rows, ARRAY_LEN(rows));
    outcomes_live_finish(&f);
    outcomes_live_heard(&f, text, sizeof text);
    assert_string_equal(text, "job-1,job-2/2026-11-22,2026-11-23/7,8/0,1500");
    live_sql(&f.db, "delete from sendcode.heard", NULL, 0);
    for (int i = 1; i <= 2; i++) {
        before_us = clock_boot_us();
        f.port.share_rate(f.port.self, 3000, 700);
        outcomes_live_finish(&f);
        assert_int_equal(f.shares, i);
        assert_int_equal(f.per_s, 1500);
        assert_true(f.valid_us >= before_us + 3 * US_PER_S);
        assert_true(f.valid_us <= clock_boot_us() + 3 * US_PER_S);
    }
    live_sql(&f.db,
             "select count(distinct what) filter (where what ~ '^instance [0-9a-f]{32,}$') || ' ' "
             "|| count(*) filter (where what = '3000/700/3000') from sendcode.heard",
             text, sizeof text);
    assert_string_equal(text, "1 2"); /* one instance, however often */
    outcomes_live_stop(&f);
}

static void what_is_refused_is_answered_with_nothing(void **state)
{
    struct outcomes_live f;
    struct parked_ask ask = {.doubts = 1};
    struct parked_release row = {.job_id = "poison-key"};

    (void)state;
    outcomes_live_start(&f, NULL);
    live_sql(&f.db, "insert into sendcode.heard values ('poison-key')", NULL, 0);
    f.n_parked = 99;
    f.port.take_parked(f.port.self, &ask);
    outcomes_live_finish(&f);
    assert_int_equal(f.takes, 1);
    assert_int_equal(f.n_parked, 0);
    f.port.release(f.port.self, &row, 1);
    outcomes_live_finish(&f);
    f.per_s = 99;
    f.port.share_rate(f.port.self, 3000, 700);
    outcomes_live_finish(&f);
    assert_int_equal(f.shares, 1);
    assert_int_equal(f.per_s, 0);
    assert_int_equal(f.errors_logged, 1); /* then at intervals */
    assert_non_null(strstr(f.error, "call=take_parked"));
    assert_int_equal(f.ills, 0);
    outcomes_live_stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_are_taken_and_what_cannot_be_is_left_out),
        cmocka_unit_test(a_settlement_finds_its_parameters),
        cmocka_unit_test(ways_to_settle_are_told_apart_and_what_cannot_be_is_odd),
        cmocka_unit_test(leases_are_released_and_the_rate_is_shared),
        cmocka_unit_test(what_is_refused_is_answered_with_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Jobs in doubt on the real schema: taken, settled, claimed again and released by the adapters. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/loop.h"
#include "tests/check.h"
#include "tests/integration/pg_schema_live.h"

static struct schema_live f;
static int64_t epoch;

static int start(void **state)
{
    (void)state;
    schema_live_start(&f);
    epoch = schema_live_take_epoch(&f);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    schema_live_stop(&f);
    return 0;
}

static void sql(const char *statement)
{
    live_sql(&f.claims.db, statement, NULL, 0);
}

static void expect(const char *query, const char *answer)
{
    char text[256];

    live_sql(&f.claims.db, query, text, sizeof text);
    assert_string_equal(text, answer);
}

/* A job that was claimed and may have been sent; it may be asked about at once. */
static void make_doubt(int number)
{
    schema_live_claim_jobs(&f, epoch, &number, 1);
    assert_int_equal(f.claims.verdicts[number], CLAIM_SEND);
    schema_live_record(&f, number, 1, epoch, ATTEMPT_IN_DOUBT, JOB_IN_DOUBT);
    assert_true(f.outcomes.answer.applied);
    sql("update sendcode.parked set ask_at = now()");
}

static void take(uint32_t doubts, uint32_t retries)
{
    struct parked_ask ask = {.doubts = doubts, .retries = retries};

    f.outcomes.port.take_parked(f.outcomes.port.self, &ask);
    outcomes_live_finish(&f.outcomes);
}

static struct settlement settlement_of(const char *job_id)
{
    return (struct settlement){.ticket = 1,
                               .job_id = job_id,
                               .day_us = f.outcomes.parked[0].day_us,
                               .lease = f.outcomes.parked[0].lease,
                               .attempt = f.outcomes.parked[0].attempt,
                               .whole = true};
}

static enum settled settle(const struct settlement *s)
{
    int before = f.outcomes.answered[1];

    f.outcomes.port.settle(f.outcomes.port.self, s);
    outcomes_live_finish(&f.outcomes);
    assert_int_equal(f.outcomes.answered[1], before + 1);
    return f.outcomes.how;
}

static void a_doubt_is_taken_once_and_found_as_sent(void **state)
{
    static const struct settlement_record found = {
        .serial_no = "serial-2", .accepted = true, .provider_code = "Ok"};
    struct settlement s;
    int64_t lease;

    (void)state;
    make_doubt(2);
    take(5, 5);
    assert_int_equal(f.outcomes.n_parked, 1);
    assert_int_equal(f.outcomes.parked[0].kind, PARKED_DOUBT);
    assert_string_equal(f.outcomes.parked[0].job_id, "job-2");
    assert_int_equal(f.outcomes.parked[0].attempt, 1);
    lease = f.outcomes.parked[0].lease;
    s = settlement_of("job-2");
    take(5, 5);
    assert_int_equal(f.outcomes.n_parked, 0); /* it is leased */

    assert_int_equal(settle(&s), SETTLED_OPEN); /* nothing there yet, and too early to say */
    assert_int_equal(f.outcomes.settled_state, JOB_IN_DOUBT);
    assert_int_equal(settle(&s), SETTLED_OPEN); /* as after a lost answer */

    sql("update sendcode.parked set ask_at = now()");
    take(5, 5);
    assert_int_equal(f.outcomes.n_parked, 1);
    assert_true(f.outcomes.parked[0].lease > lease);
    s = settlement_of("job-2");
    s.records = &found;
    s.n_records = 1;
    assert_int_equal(settle(&s), SETTLED_SENT);
    assert_string_equal(f.outcomes.settled_job, "job-2");
    assert_int_equal(f.outcomes.settled_state, JOB_SENT);
    expect("select serial_no from sendcode.delivery where job_id = 'job-2'", "serial-2");
    expect("select count(*) from sendcode.outbox where job_id = 'job-2'", "1");
    assert_int_equal(settle(&s), SETTLED_PASSED); /* as after a lost answer */
}

static void a_doubt_that_was_not_sent_is_claimed_again_and_released(void **state)
{
    const int number = 3;
    struct parked_release row = {.job_id = "job-3"};
    struct settlement s;

    (void)state;
    make_doubt(number);
    sql("update sendcode.delivery set claimed_at = now() - interval '100 s', "
        "takeover_at = now() - interval '90 s', not_after = now() - interval '80 s' "
        "where job_id = 'job-3'");
    sql("update sendcode.parked set not_after = now() - interval '80 s' where job_id = 'job-3'");
    take(5, 0);
    assert_int_equal(f.outcomes.n_parked, 1);
    s = settlement_of("job-3");
    assert_int_equal(settle(&s), SETTLED_UNSENT);
    assert_int_equal(f.outcomes.settled_state, JOB_RETRY);

    take(0, 5);
    assert_int_equal(f.outcomes.n_parked, 1);
    assert_int_equal(f.outcomes.parked[0].kind, PARKED_RETRY);
    assert_int_equal(f.outcomes.parked[0].epoch, epoch);
    row.day_us = f.outcomes.parked[0].day_us;
    row.lease = f.outcomes.parked[0].lease;
    row.wait_us = 60 * US_PER_S;
    schema_live_claim_jobs(&f, epoch, &number, 1);
    assert_int_equal(f.claims.verdicts[number], CLAIM_SEND);
    f.outcomes.port.release(f.outcomes.port.self, &row, 1);
    outcomes_live_finish(&f.outcomes);
    expect("select count(*) from sendcode.parked where job_id = 'job-3'", "1");

    schema_live_record(&f, number, 2, epoch, ATTEMPT_ACCEPTED, JOB_SENT);
    assert_true(f.outcomes.answer.applied);
    f.outcomes.port.release(f.outcomes.port.self, &row, 1);
    outcomes_live_finish(&f.outcomes);
    expect("select count(*) from sendcode.parked where job_id = 'job-3'", "0");
}

/* The connection is lost while the statement waits for the job's phone. */
static void a_settlement_survives_the_loss_of_its_connection(void **state)
{
    static const struct settlement_record found = {
        .serial_no = "serial-4", .accepted = true, .provider_code = "Ok"};
    struct settlement s;
    char text[32];

    (void)state;
    make_doubt(4);
    take(5, 0);
    assert_int_equal(f.outcomes.n_parked, 1);
    s = settlement_of("job-4");
    s.records = &found;
    s.n_records = 1;
    f.may_be_ill = true;
    sql("begin");
    sql("select from sendcode.phone_limit where phone = '+8613900000004' for update");
    f.outcomes.idle = false;
    f.outcomes.port.settle(f.outcomes.port.self, &s);
    do {
        loop_defer(f.outcomes.loop, (void (*)(void *))loop_stop, f.outcomes.loop);
        loop_run(f.outcomes.loop);
        sql("select pg_stat_clear_snapshot()");
        live_sql(&f.claims.db,
                 "select pg_terminate_backend(pid) from pg_stat_activity where "
                 "datname = current_database() and wait_event_type = 'Lock'",
                 text, sizeof text);
    } while (!text[0]);
    live_run(f.outcomes.loop, outcomes_live_is_ill, &f.outcomes);
    sql("commit");
    live_run(f.outcomes.loop, outcomes_live_is_idle, &f.outcomes);
    f.may_be_ill = false;
    assert_int_equal(f.outcomes.how, SETTLED_SENT);
    assert_string_equal(f.outcomes.settled_job, "job-4");
}

static void an_odd_job_is_left_as_it_is(void **state)
{
    struct settlement s;

    (void)state;
    make_doubt(5);
    take(5, 0);
    assert_int_equal(f.outcomes.n_parked, 1);
    s = settlement_of("job-5");
    sql("update sendcode.delivery set not_after = null where job_id = 'job-5'");
    assert_int_equal(settle(&s), SETTLED_ODD);
    expect("select state from sendcode.delivery where job_id = 'job-5'", "in_doubt");
    expect("select count(*) from sendcode.parked where job_id = 'job-5'", "1");
}

static void the_rate_is_shared(void **state)
{
    (void)state;
    f.outcomes.port.share_rate(f.outcomes.port.self, 100, 10);
    outcomes_live_finish(&f.outcomes);
    assert_int_equal(f.outcomes.shares, 1);
    assert_true(f.outcomes.per_s > 0 && f.outcomes.per_s <= 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_doubt_is_taken_once_and_found_as_sent),
        cmocka_unit_test(a_doubt_that_was_not_sent_is_claimed_again_and_released),
        cmocka_unit_test(a_settlement_survives_the_loss_of_its_connection),
        cmocka_unit_test(an_odd_job_is_left_as_it_is),
        cmocka_unit_test(the_rate_is_shared),
    };
    return cmocka_run_group_tests(tests, start, stop);
}

/* Requests of the outcomes adapter whose answers are lost: asked again, as of the new moment. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "tests/check.h"
#include "tests/integration/pg_outcomes_live.h"

#define OUTAGE_US (3600 * US_PER_S)

static int64_t jumped_us;

static int64_t read_clock(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return t.tv_sec * US_PER_S + t.tv_nsec / 1000 + jumped_us;
}

static int64_t boot_us(void)
{
    return read_clock(CLOCK_BOOTTIME);
}

static int64_t wall_us(void)
{
    return read_clock(CLOCK_REALTIME);
}

static void ask_record(struct outcomes_live *f)
{
    struct outcome row = {.job_id = "job-1", .state = JOB_SENT, .age_us = 1500 * US_PER_MS};
    f->port.record(f->port.self, &row, 1);
}

static void check_record(struct outcomes_live *f)
{
    long age_ms = strtol(f->traceparent, NULL, 10);

    assert_int_equal(f->answered[0], 1);
    assert_true(age_ms >= 3601500 && age_ms < 3601500 + 60 * 1000);
}

static void ask_take(struct outcomes_live *f)
{
    struct parked_ask ask = {.doubts = 5, .retries = 5};
    f->port.take_parked(f->port.self, &ask);
}

static void check_take(struct outcomes_live *f)
{
    assert_int_equal(f->takes, 1);
    assert_int_equal(f->n_parked, 2);
    assert_true(f->asked_us <= clock_boot_us());
    assert_true(f->asked_us > clock_boot_us() - 60 * US_PER_S);
}

static void ask_settle(struct outcomes_live *f)
{
    static const struct settlement_record record = {
        .serial_no = "serial", .accepted = true, .provider_code = "Ok"};
    char job_id[] = "sent-1";
    struct settlement s = {
        .job_id = job_id, .why = "why", .records = &record, .n_records = 1, .whole = true};

    f->port.settle(f->port.self, &s);
    memset(job_id, 'x', sizeof job_id - 1);
}

static void check_settle(struct outcomes_live *f)
{
    char heard[256];

    assert_int_equal(f->answered[0], 1);
    assert_int_equal(f->how, SETTLED_SENT);
    outcomes_live_heard(f, heard, sizeof heard);
    assert_string_equal(heard, "worker-1/sent-1/1970-01-01/0/0/60000/t/t/why/serial/0/t/null/"
                               "null/Ok");
}

static void ask_share(struct outcomes_live *f)
{
    f->port.share_rate(f->port.self, 100, 10);
}

static void check_share(struct outcomes_live *f)
{
    assert_int_equal(f->shares, 1);
    assert_int_equal(f->per_s, 50);
    assert_true(f->valid_us <= clock_boot_us() + 3 * US_PER_S);
    assert_true(f->valid_us > clock_boot_us() - 60 * US_PER_S);
}

/* Holds the brake, so that the request is under way, and does `function` to its backend. */
static void hurt_while_under_way(struct outcomes_live *f, const char *function)
{
    live_turn(f->loop);
    live_hurt_waiting(&f->db, function);
    live_run(f->loop, outcomes_live_is_ill, f);
}

static void a_lost_answer_is_asked_for_again_as_of_now(void **state)
{
    static const struct clock_source clock = {boot_us, wall_us};
    static const char *const functions[] = {"pg_terminate_backend", "pg_cancel_backend"};
    static const struct {
        void (*ask)(struct outcomes_live *f);
        void (*check)(struct outcomes_live *f);
    } requests[] = {
        {ask_record, check_record},
        {ask_take,   check_take  },
        {ask_settle, check_settle},
        {ask_share,  check_share },
    };

    (void)state;
    clock_set_source(&clock);
    for (size_t i = 0; i < ARRAY_LEN(requests) * ARRAY_LEN(functions); i++) {
        struct outcomes_live f;

        outcomes_live_start(&f, NULL);
        live_sql(&f.db, "begin", NULL, 0);
        live_sql(&f.db, "lock table sendcode.brake in access exclusive mode", NULL, 0);
        f.idle = false;
        requests[i / 2].ask(&f);
        hurt_while_under_way(&f, functions[i % 2]);
        assert_int_equal(f.answered[0] + f.takes + f.shares, 0);
        jumped_us += OUTAGE_US;
        live_sql(&f.db, "commit", NULL, 0);
        live_run(f.loop, outcomes_live_is_idle, &f);
        requests[i / 2].check(&f);
        assert_true(f.ills >= 1);
        assert_int_equal(f.wells, 2);
        outcomes_live_stop(&f);
    }
    clock_set_source(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_answer_is_asked_for_again_as_of_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

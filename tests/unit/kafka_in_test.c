/* kafka_in against librdkafka's mock cluster, on the real loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "worker/kafka/kafka_in.h"
/* cmocka needs setjmp and stdarg */
#include <cmocka.h>

#include "common/err.h"
#include "tests/unit/kafka_taker.h"

#define MANY 3000
#define NO_LIMIT 1000000

static void records_arrive_in_order_with_key_value_headers_and_times(UNUSED void **state)
{
    struct rig r;
    struct taker t;

    rig_open_mock(&r, 2, true);
    rig_produce_many(&r, 0, MANY);
    rig_produce_many(&r, 1, MANY);
    taker_open(&t, &r, true, NO_LIMIT);
    taker_await(&t, 2 * MANY);
    assert_int_equal(t.seen[0], MANY);
    assert_int_equal(t.seen[1], MANY);
    rig_produce(&r, 1, "+8613800138000", "hello");
    taker_await(&t, 2 * MANY + 1);
    assert_string_equal(t.key, "+8613800138000");
    assert_string_equal(t.value, "hello");
    assert_string_equal(t.header_name, "traceparent");
    assert_string_equal(t.header_value, "00-ab");
    assert_int_equal(t.log_end, MANY + 1);
    assert_true(t.published_us > INT64_C(1500000000) * US_PER_S);
    assert_true(t.healthy);
    taker_close(&t);
    rig_close(&r);
}

static void a_tombstone_and_a_missing_key_are_told_from_empty_ones(UNUSED void **state)
{
    struct rig r;
    struct taker t;

    rig_open_mock(&r, 1, true);
    taker_open(&t, &r, true, NO_LIMIT);
    rig_produce(&r, 0, NULL, NULL);
    taker_await(&t, 1);
    assert_true(t.key_null);
    assert_true(t.value_null);
    rig_produce(&r, 0, "", "");
    taker_await(&t, 2);
    assert_false(t.key_null);
    assert_false(t.value_null);
    assert_int_equal(t.value_len, 0);
    taker_close(&t);
    rig_close(&r);
}

static void without_credit_nothing_is_delivered_and_credit_is_exact(UNUSED void **state)
{
    struct rig r;
    struct taker t;

    rig_open_mock(&r, 1, true);
    rig_produce_many(&r, 0, 100);
    taker_open(&t, &r, true, 7);
    taker_await(&t, 7);
    rig_run_ms(&r, 300);
    assert_int_equal(t.total, 7);
    t.port.allow(t.port.self, 5);
    taker_await(&t, 12);
    rig_run_ms(&r, 100);
    assert_int_equal(t.total, 12);
    t.port.allow(t.port.self, 0);
    rig_run_ms(&r, 100);
    assert_int_equal(t.total, 12);
    /* Nothing new comes in: only a remembered early stop brings the rest. */
    t.port.allow(t.port.self, NO_LIMIT);
    taker_await(&t, 100);
    taker_close(&t);
    rig_close(&r);
}

static void a_partition_waits_until_it_is_started_and_then_loses_nothing(UNUSED void **state)
{
    struct rig r;
    struct taker t;
    struct goal two;

    rig_open_mock(&r, 2, true);
    rig_produce_many(&r, 0, MANY);
    rig_produce_many(&r, 1, MANY);
    taker_open(&t, &r, false, NO_LIMIT);
    two = (struct goal){&t, 2};
    rig_wait(&r, taker_owns_goal, &two, "both partitions");
    rig_run_ms(&r, 300);
    assert_int_equal(t.total, 0);
    t.started[1] = true;
    t.port.start(t.port.self, 1);
    taker_await(&t, MANY);
    rig_run_ms(&r, 100);
    assert_int_equal(t.seen[0], 0);
    assert_int_equal(t.first[1], 0);
    t.started[0] = true;
    t.port.start(t.port.self, 0);
    taker_await(&t, 2 * MANY);
    assert_int_equal(t.first[0], 0);
    taker_close(&t);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_arrive_in_order_with_key_value_headers_and_times),
        cmocka_unit_test(a_tombstone_and_a_missing_key_are_told_from_empty_ones),
        cmocka_unit_test(without_credit_nothing_is_delivered_and_credit_is_exact),
        cmocka_unit_test(a_partition_waits_until_it_is_started_and_then_loses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

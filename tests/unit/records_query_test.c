/* Queries for send records: their pages, and their times by our own clock. */
#include <stdlib.h>

#include "tests/check.h"
#include "tests/unit/records_rig.h"

static void an_answer_is_whole_however_many_pages_it_has(void **state)
{
    static const struct {
        int64_t n, total;
        unsigned requests;
    } cases[] = {
        {0,   0,   1 },
        {0,   -1,  1 },
        {1,   1,   1 },
        {49,  -1,  1 },
        {50,  50,  2 },
        {51,  51,  2 },
        {120, 120, 3 },
        {999, 999, 20},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig *r = rig_start();

        r->n_records = cases[i].n;
        r->total = cases[i].total;
        rig_ask_and_run(r);
        if (!r->answer.whole || r->answer.n != (size_t)cases[i].n ||
            r->requests != cases[i].requests)
            fail_msg("%lld records: %zu came by %u requests: %s", (long long)cases[i].n,
                     r->answer.n, r->requests, r->answer.why);
        rig_end(r);
    }
}

static void a_records_time_is_told_by_our_own_clock(void **state)
{
    for (int dated = 0; dated < 2; dated++) {
        struct rig *r = rig_start();

        (void)state;
        r->no_date = !dated;
        r->n_records = 30;
        rig_ask_and_run(r);
        assert_true(r->answer.whole);
        for (size_t i = 0; i < r->answer.n; i++) {
            int64_t expected_us = r->started_us - (int64_t)i * US_PER_S;

            assert_true(llabs(r->records[i].at_us - expected_us) <= 3 * US_PER_S);
            assert_true(r->records[i].accepted);
            assert_string_equal(r->records[i].code, "Ok");
        }
        rig_end(r);
    }
}

static void it_asks_from_a_little_before_what_is_wanted(void **state)
{
    struct rig *r = rig_start();

    (void)state;
    rig_ask_and_run(r);
    assert_in_range(r->begin_s, PROVIDER_START - 3600 - 12, PROVIDER_START - 3600 - 5);
    rig_end(r);
}

static void beyond_72_hours_it_asks_for_what_there_is_and_says_so(void **state)
{
    struct rig *r = rig_start();

    (void)state;
    r->n_records = 1;
    rig_ask(r, 7, 73 * HOUR_US);
    rig_run(r, 1);
    assert_false(r->answer.whole);
    assert_int_equal(r->answer.n, 1);
    assert_in_range(r->begin_s, PROVIDER_START - 72 * 3600 + 60, PROVIDER_START - 72 * 3600 + 120);
    rig_end(r);
}

static void as_many_as_allowed_are_asked_at_once(void **state)
{
    struct rig *r = rig_start();

    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < QUERIES_MAX; i++)
            rig_ask(r, i, HOUR_US);
        rig_run(r, QUERIES_MAX);
    }
    assert_int_equal(r->requests, 2 * QUERIES_MAX);
    rig_end(r);
}

static void never(struct rig *r, struct tiny_conn *c)
{
    (void)r, (void)c;
}

static void freeing_drops_what_is_under_way(void **state)
{
    struct rig *r = rig_start();

    (void)state;
    r->respond = never;
    rig_ask(r, 1, HOUR_US);
    rig_end(r);
    assert_int_equal(r->answers, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_whole_however_many_pages_it_has),
        cmocka_unit_test(a_records_time_is_told_by_our_own_clock),
        cmocka_unit_test(it_asks_from_a_little_before_what_is_wanted),
        cmocka_unit_test(beyond_72_hours_it_asks_for_what_there_is_and_says_so),
        cmocka_unit_test(as_many_as_allowed_are_asked_at_once),
        cmocka_unit_test(freeing_drops_what_is_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

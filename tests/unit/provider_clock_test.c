/* The provider's clock: never ahead of theirs, and the age that a signature is given. */
#include "common/clock.h"
#include "tests/check.h"
#include "worker/tencent/provider_clock.h"

#define BOOT_US (1234 * US_PER_S)
#define DATE_S 1700000000

static void a_signature_has_its_life_left_by_the_providers_clock(void **state)
{
    static const struct {
        int64_t life_s, later_us, expected;
    } cases[] = {
        {300, 0,                    DATE_S             },
        {15,  0,                    DATE_S - 285       },
        {5,   0,                    DATE_S - 295       },
        {15,  US_PER_S - 1,         DATE_S - 285       },
        {15,  US_PER_S,             DATE_S - 285 + 1   },
        {15,  3600 * US_PER_S + 17, DATE_S - 285 + 3600},
    };
    struct provider_clock c = {0};

    (void)state;
    provider_clock_learn(&c, DATE_S, BOOT_US, BOOT_US);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(provider_clock_timestamp(&c, cases[i].life_s, BOOT_US + cases[i].later_us),
                         cases[i].expected);
}

static void the_last_answer_counts(void **state)
{
    struct provider_clock c = {0};

    (void)state;
    provider_clock_learn(&c, DATE_S, BOOT_US, BOOT_US);
    provider_clock_learn(&c, DATE_S - 100, BOOT_US, BOOT_US + US_PER_S);
    assert_int_equal(provider_clock_timestamp(&c, 300, BOOT_US + US_PER_S), DATE_S - 100);
}

static int64_t wall_us(void)
{
    return 42 * US_PER_S + 999999;
}

static int64_t boot_us(void)
{
    return 7;
}

static void until_it_is_known_the_wall_clock_dates_queries(void **state)
{
    static const struct clock_source source = {.boot_us = boot_us, .wall_us = wall_us};
    const struct provider_clock c = {0};

    (void)state;
    clock_set_source(&source);
    assert_int_equal(provider_clock_timestamp(&c, 15, BOOT_US), 42);
    clock_set_source(NULL);
}

static void a_second_of_theirs_is_told_within_half_of_the_spread(void **state)
{
    static const int64_t true_offsets_us[] = {0, 500000, 2 * US_PER_S, 3 * US_PER_S - 1};
    struct provider_clock c = {0};

    (void)state;
    provider_clock_learn(&c, DATE_S, BOOT_US, BOOT_US + 2 * US_PER_S);
    assert_int_equal(c.spread_us, 3 * US_PER_S);
    for (size_t i = 0; i < ARRAY_LEN(true_offsets_us); i++) {
        int64_t true_us = 77 * US_PER_S - c.offset_us - true_offsets_us[i];
        int64_t told_us = provider_clock_to_boot(&c, 77);

        assert_true(told_us - true_us <= c.spread_us / 2);
        assert_true(true_us - told_us <= c.spread_us / 2);
    }
}

static void clocks_agree_when_both_can_be_right(void **state)
{
    static const struct {
        int64_t offset_us, spread_us;
        bool agrees; /* with 10 … 11 s and 2 s of slack */
    } cases[] = {
        {10 * US_PER_S,     US_PER_S,     true },
        {13 * US_PER_S,     US_PER_S,     true },
        {13 * US_PER_S + 1, US_PER_S,     false},
        {7 * US_PER_S,      US_PER_S,     true },
        {7 * US_PER_S - 1,  US_PER_S,     false},
        {0,                 8 * US_PER_S, true },
        {0,                 US_PER_S,     false},
        {3600 * US_PER_S,   US_PER_S,     false},
    };
    const struct provider_clock known = {
        .is_known = true, .offset_us = 10 * US_PER_S, .spread_us = US_PER_S};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct provider_clock other = {
            .is_known = true, .offset_us = cases[i].offset_us, .spread_us = cases[i].spread_us};

        assert_int_equal(provider_clock_agrees(&known, &other, 2 * US_PER_S), cases[i].agrees);
        assert_int_equal(provider_clock_agrees(&other, &known, 2 * US_PER_S), cases[i].agrees);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_has_its_life_left_by_the_providers_clock),
        cmocka_unit_test(the_last_answer_counts),
        cmocka_unit_test(until_it_is_known_the_wall_clock_dates_queries),
        cmocka_unit_test(a_second_of_theirs_is_told_within_half_of_the_spread),
        cmocka_unit_test(clocks_agree_when_both_can_be_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

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
    provider_clock_learn(&c, DATE_S, BOOT_US);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(provider_clock_timestamp(&c, cases[i].life_s, BOOT_US + cases[i].later_us),
                         cases[i].expected);
}

static void the_last_answer_counts(void **state)
{
    struct provider_clock c = {0};

    (void)state;
    provider_clock_learn(&c, DATE_S, BOOT_US);
    provider_clock_learn(&c, DATE_S - 100, BOOT_US + US_PER_S);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_has_its_life_left_by_the_providers_clock),
        cmocka_unit_test(the_last_answer_counts),
        cmocka_unit_test(until_it_is_known_the_wall_clock_dates_queries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

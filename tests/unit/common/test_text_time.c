/* Times in RFC 3339, by the rules of the job contract. */
#include <string.h>

#include "common/text.h"
#include "tests/check.h"

static void good_times_are_read_to_the_microsecond(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us;
    } cases[] = {
        {"1970-01-01T00:00:00Z",                INT64_C(0)                 },
        {"1970-01-01T00:00:00.000001Z",         INT64_C(1)                 },
        {"1969-12-31T23:59:59.999999Z",         INT64_C(-1)                },
        {"2026-11-22T08:00:00Z",                INT64_C(1795334400000000)  },
        {"2026-11-22T16:00:00+08:00",           INT64_C(1795334400000000)  },
        {"2026-11-22T02:30:00-05:30",           INT64_C(1795334400000000)  },
        {"2026-11-22T08:00:00-00:00",           INT64_C(1795334400000000)  },
        {"2026-11-22T08:00:00.5Z",              INT64_C(1795334400500000)  },
        {"2026-11-22T08:00:00.123Z",            INT64_C(1795334400123000)  },
        {"2026-11-22T08:00:00.123456789Z",      INT64_C(1795334400123456)  },
        {"2026-11-22T08:00:00.999999999+00:00", INT64_C(1795334400999999)  },
        {"2024-02-29T00:00:00Z",                INT64_C(1709164800000000)  },
        {"2000-02-29T00:00:00Z",                INT64_C(951782400000000)   },
        {"9999-12-31T23:59:59Z",                INT64_C(253402300799000000)},
        {"0000-03-01T00:00:00Z",                INT64_C(-62162035200000000)},
        {"2026-11-22T08:00:00+23:59",           INT64_C(1795248060000000)  },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t us = 0;
        if (!text_to_time_us(cases[i].text, strlen(cases[i].text), &us) || us != cases[i].us) {
            fail_msg("%s: %lld", cases[i].text, (long long)us);
        }
    }
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "2026-11-22",
        "2026-11-22T08:00:00",
        "2026-11-22T08:00Z",
        "2026-11-22 08:00:00Z",
        "2026-11-22t08:00:00Z",
        "2026-11-22T08:00:00z",
        "2026-11-22T08:00:60Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T08:60:00Z",
        "2026-13-22T08:00:00Z",
        "2026-00-22T08:00:00Z",
        "2026-11-00T08:00:00Z",
        "2026-11-31T08:00:00Z",
        "2026-02-29T08:00:00Z",
        "2100-02-29T08:00:00Z",
        "2026-02-30T08:00:00Z",
        "2026-11-22T08:00:00.Z",
        "2026-11-22T08:00:00.1234567890Z",
        "2026-11-22T08:00:00,5Z",
        "2026-11-22T08:00:00+08",
        "2026-11-22T08:00:00+0800",
        "2026-11-22T08:00:00+24:00",
        "2026-11-22T08:00:00+08:60",
        "2026-11-22T08:00:00 Z",
        "2026-11-22T08:00:00ZZ",
        "2026-11-22T08:00:00Z ",
        " 2026-11-22T08:00:00Z",
        "26-11-22T08:00:00Z",
        "12026-11-22T08:00:00Z",
        "+026-11-22T08:00:00Z",
        "2026-1-22T08:00:00Z",
        "2026-11-22T8:00:00Z",
        "2026-11-22T-8:00:00Z",
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t us = 0;
        if (text_to_time_us(cases[i], strlen(cases[i]), &us)) {
            fail_msg("%s: %lld", cases[i], (long long)us);
        }
    }
}

static void no_byte_behind_the_length_is_read(void **state)
{
    (void)state;
    int64_t us = 0;
    static const char text[] = "2026-11-22T08:00:00Z";
    for (size_t len = 0; len < strlen(text); len++) {
        assert_false(text_to_time_us(text, len, &us));
    }
}

static void times_are_written_as_the_contract_has_them(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        const char *time;
        const char *date;
    } cases[] = {
        {INT64_C(0),                  "1970-01-01T00:00:00.000Z", "1970-01-01"},
        {INT64_C(-1),                 "1969-12-31T23:59:59.999Z", "1969-12-31"},
        {INT64_C(1795334400123999),   "2026-11-22T08:00:00.123Z", "2026-11-22"},
        {INT64_C(-62162035200000000), "0000-03-01T00:00:00.000Z", "0000-03-01"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char time[TEXT_TIME_SIZE];
        char date[16];
        text_from_time_us(cases[i].us, time);
        text_from_date_us(cases[i].us, date);
        assert_string_equal(time, cases[i].time);
        assert_string_equal(date, cases[i].date);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_times_are_read_to_the_microsecond),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(no_byte_behind_the_length_is_read),
        cmocka_unit_test(times_are_written_as_the_contract_has_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

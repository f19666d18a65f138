/* Readers of text: what they take, what they refuse, at the edges. */
#include <string.h>

#include "common/text.h"
#include "tests/check.h"

static void an_integer_is_the_whole_text_and_in_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t lo, hi;
        bool ok;
        int64_t value;
    } cases[] = {
        {"0",                    0,         9,         true,  0        },
        {"9",                    0,         9,         true,  9        },
        {"10",                   0,         9,         false, 0        },
        {"-1",                   0,         9,         false, 0        },
        {"-1",                   -5,        9,         true,  -1       },
        {"007",                  0,         9,         true,  7        },
        {"9223372036854775807",  0,         INT64_MAX, true,  INT64_MAX},
        {"9223372036854775808",  0,         INT64_MAX, false, 0        },
        {"-9223372036854775808", INT64_MIN, 0,         true,  INT64_MIN},
        {"",                     0,         9,         false, 0        },
        {"-",                    -9,        9,         false, 0        },
        {"+1",                   0,         9,         false, 0        },
        {" 1",                   0,         9,         false, 0        },
        {"1 ",                   0,         9,         false, 0        },
        {"- 1",                  -9,        9,         false, 0        },
        {"0x1",                  0,         9,         false, 0        },
        {"1.0",                  0,         9,         false, 0        },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t value = 4711;
        bool ok = text_to_int(cases[i].text, cases[i].lo, cases[i].hi, &value);
        if (ok != cases[i].ok || value != (ok ? cases[i].value : 4711)) {
            fail_msg("\"%s\": %d %lld", cases[i].text, ok, (long long)value);
        }
    }
}

static void hex_is_read_in_either_case_and_exactly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
    } cases[] = {
        {"00ff10aB",   true },
        {"00FF10Ab",   true },
        {"00ff10a",    false},
        {"00ff10ab0",  false},
        {"00ff10ab00", false},
        {"00ff10ag",   false},
        {"",           false},
        {"0x00ff10",   false},
    };
    static const uint8_t want[4] = {0x00, 0xff, 0x10, 0xab};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t bytes[4] = {0};
        bool ok = text_hex_to_bytes(cases[i].text, strlen(cases[i].text), bytes, sizeof(bytes));
        if (ok != cases[i].ok) {
            fail_msg("\"%s\"", cases[i].text);
        }
        if (ok) {
            assert_memory_equal(bytes, want, sizeof(want));
        }
    }
}

static void utf8_is_judged_as_unicode_has_it(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        bool ok;
    } cases[] = {
        {"",                      true },
        {"plain",                 true },
        {"\xc2\x80",              true },
        {"\xdf\xbf",              true },
        {"\xe0\xa0\x80",          true },
        {"\xed\x9f\xbf",          true },
        {"\xee\x80\x80",          true },
        {"\xef\xbf\xbf",          true },
        {"\xf0\x90\x80\x80",      true },
        {"\xf4\x8f\xbf\xbf",      true },
        {"\x80",                  false}, /* a continuation alone */
        {"\xbf",                  false},
        {"\xc0\x80",              false}, /* overlong */
        {"\xc1\xbf",              false},
        {"\xe0\x9f\xbf",          false},
        {"\xf0\x8f\xbf\xbf",      false},
        {"\xed\xa0\x80",          false}, /* a surrogate */
        {"\xed\xbf\xbf",          false},
        {"\xf4\x90\x80\x80",      false}, /* behind U+10FFFF */
        {"\xf5\x80\x80\x80",      false},
        {"\xff",                  false},
        {"\xc2",                  false}, /* cut off */
        {"\xe4\xb8",              false},
        {"\xf0\x9f\x98",          false},
        {"\xc2g",                 false},
        {"\xe4\xb8g",             false},
        {"\xf0\x9f\x98g",         false},
        {"good \xe4\xb8\xad\xff", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (text_is_utf8(cases[i].bytes, strlen(cases[i].bytes)) != cases[i].ok) {
            fail_msg("case %zu", i);
        }
    }
    assert_true(text_is_utf8("a\0b", 3));
}

static void a_cut_never_splits_a_character(void **state)
{
    (void)state;
    static const char text[] = "a\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80z"; /* 1, 2, 3, 4, 1 bytes */
    static const size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
    for (size_t max = 0; max < ARRAY_LEN(want); max++) {
        assert_int_equal(text_utf8_cut(text, strlen(text), max), want[max]);
    }
}

static void characters_are_counted_not_bytes(void **state)
{
    (void)state;
    assert_int_equal(text_utf8_length(""), 0);
    assert_int_equal(text_utf8_length("a\xc3\xa9\xe8\x85\xbe\xf0\x9f\x98\x80"), 4);
}

static void sets_and_nuls_are_found(void **state)
{
    (void)state;
    assert_true(text_all_in("abc", 3, "abc"));
    assert_false(text_all_in("abd", 3, "abc"));
    assert_false(text_all_in("", 0, "abc"));
    assert_false(text_all_in("a\0", 2, "abc"));
    assert_true(text_has_nul("a\0b", 3));
    assert_false(text_has_nul("ab", 2));
    assert_false(text_has_nul("", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_integer_is_the_whole_text_and_in_bounds),
        cmocka_unit_test(hex_is_read_in_either_case_and_exactly),
        cmocka_unit_test(utf8_is_judged_as_unicode_has_it),
        cmocka_unit_test(a_cut_never_splits_a_character),
        cmocka_unit_test(characters_are_counted_not_bytes),
        cmocka_unit_test(sets_and_nuls_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

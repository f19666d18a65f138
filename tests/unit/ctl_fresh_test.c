/* What replay --fresh makes of a value: two members changed, every other byte as it was. */
#include <string.h>

#include "common/buf.h"
#include "ctl/fresh.h"
#include "tests/check.h"

#define NOW_US INT64_C(1795478400123000)
#define NOW "2026-11-24T00:00:00.123Z"

static void assert_fresh(const char *value, const char *wanted)
{
    struct buf out = BUF_INIT;
    /* In memory of its own size, so that a sanitizer sees a step beyond its end. */
    size_t len = strlen(value);
    char *exact = test_malloc(len);

    memcpy(exact, value, len);
    assert_int_equal(fresh_value(exact, len, NOW_US, &out), 0);
    assert_string_equal(buf_text(&out), wanted);
    test_free(exact);
    buf_free(&out);
}

static void the_two_members_change_and_nothing_else(void **state)
{
    static const struct {
        const char *value, *wanted;
    } cases[] = {
        {"{\"v\":1,\"requested_at\":\"2026-01-01T00:00:00Z\",\"deadline\":\"2026-01-01T00:01:"
         "00Z\"}",                                                                 "{\"v\":1,\"requested_at\":\"" NOW "\"}"},
        {" {\n \"deadline\" : \"x\" ,\n \"requested_at\" : \"y\" ,\n \"v\" : 1\n}\n",
         " {\n \"requested_at\" : \"" NOW "\" ,\n \"v\" : 1\n}\n"                                                                   },
        {"{\"v\":1.0e0,\"x\":\"\\u00e9\\/\",\"requested_at\":[{\"requested_at\":\"},\"}]}",
         "{\"v\":1.0e0,\"x\":\"\\u00e9\\/\",\"requested_at\":\"" NOW "\"}"                                                          },
        {"{\"x\":{\"deadline\":\"kept\",\"requested_at\":\"kept\"},\"requested_at\":null}",
         "{\"x\":{\"deadline\":\"kept\",\"requested_at\":\"kept\"},\"requested_at\":\"" NOW "\"}"                                   },
        {"{\"deadline\":\"a\\\"},{\\\\\",\"x\":\"deadline\",\"requested_at\":1}",
         "{\"x\":\"deadline\",\"requested_at\":\"" NOW "\"}"                                                                        },
        {"{\"requested\\u005fat\":\"y\",\"\\u0064eadline\":\"x\"}",
         "{\"requested\\u005fat\":\"" NOW "\"}"                                                                                     },
        {"{\"v\":1}",                                                                       "{\"v\":1,\"requested_at\":\"" NOW "\"}"},
        {"{\"deadline\":1}",                                                                "{\"requested_at\":\"" NOW "\"}"        },
        {"{}",                                                                              "{\"requested_at\":\"" NOW "\"}"        },
        {"{ }",                                                                             "{\"requested_at\":\"" NOW "\"}"        },
        {"{\"\":\"\",\"requested_at \":1,\"requested_at\":2}",
         "{\"\":\"\",\"requested_at \":1,\"requested_at\":\"" NOW "\"}"                                                             },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_fresh(cases[i].value, cases[i].wanted);
}

static void what_is_no_object_is_refused(void **state)
{
    static const char *const values[] = {
        "",
        " ",
        "null",
        "[]",
        "\"{}\"",
        "{",
        "{\"requested_at\":\"x\"",
        "{\"requested_at\":\"x\"}}",
        "{'v':1}",
        "{\"requested_at\":1,\"requested\\u005fat\":2}",
        "{\"v\":1,}",
        "\xef\xbb\xbf{}",
        "{\"x\":\"\xff\"}",
    };
    struct buf out = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        assert_int_equal(fresh_value(values[i], strlen(values[i]), NOW_US, &out), -1);
    assert_int_equal(fresh_value(NULL, 0, NOW_US, &out), -1);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_two_members_change_and_nothing_else),
        cmocka_unit_test(what_is_no_object_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* JSON is taken exactly as RFC 8259 has it, and what json-c loses is not lost. */
#include <string.h>

#include "common/err.h"
#include "common/json.h"
#include "common/mem.h"
#include "tests/check.h"

static struct json *parse(const char *text, size_t len, struct err *e)
{
    static const struct json_limits limits = {.max_depth = 8, .unique_top_keys = true};
    return json_parse(text, len, &limits, e);
}

static struct json *must_parse(const char *text)
{
    struct err e = {0};
    struct json *j = parse(text, strlen(text), &e);
    if (j == NULL)
        fail_msg("%s: %s", text, e.text);
    return j;
}

static void takes_every_form_of_the_grammar(void **state)
{
    static const char *const good[] = {
        "0",
        "-0",
        "10",
        "1.5",
        "-1e5",
        "1E+5",
        "0.1e-2",
        "1e999",
        "true",
        "false",
        "null",
        "\"\"",
        "[]",
        "{}",
        " [ ] ",
        "[1 , 2]",
        "\t\n\r1",
        "\"\\u0000\"",
        "[[[]]]",
        "\"\\ud800\"",
        "\"\x7F\"",
        "{\"\":null}",
        "\"\\/\\b\"",
        "123456789012345678901234567890",
        "{\"a\":{\"b\":[1,{\"c\":\"d\"}]}}",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        json_free(must_parse(good[i]));
}

static void names_what_is_wrong_with_the_bytes(void **state)
{
    static const struct {
        const char *text;
        enum json_fault fault;
    } bad[] = {
        {"",                        JSON_MALFORMED      },
        {"\xFF",                    JSON_NOT_UTF8       },
        {"\"\xED\xA0\x80\"",        JSON_NOT_UTF8       },
        {"\xEF\xBB\xBF{}",          JSON_BYTE_ORDER_MARK},
        {"{'a':1}",                 JSON_MALFORMED      },
        {"NaN",                     JSON_MALFORMED      },
        {"1 2",                     JSON_MALFORMED      },
        {"[1,]",                    JSON_MALFORMED      },
        {"{\"a\":1,}",              JSON_MALFORMED      },
        {"{\"a\" 1}",               JSON_MALFORMED      },
        {"[1}",                     JSON_MALFORMED      },
        {"{]",                      JSON_MALFORMED      },
        {"]",                       JSON_MALFORMED      },
        {"\"a",                     JSON_MALFORMED      },
        {"\"a\\",                   JSON_MALFORMED      },
        {"\"\\u00g0\"",             JSON_MALFORMED      },
        {"\"\n\"",                  JSON_MALFORMED      },
        {"/**/1",                   JSON_MALFORMED      },
        {"01",                      JSON_MALFORMED      },
        {"1.",                      JSON_MALFORMED      },
        {"-",                       JSON_MALFORMED      },
        {"tru",                     JSON_MALFORMED      },
        {"[[[[[[[[[]]]]]]]]]",      JSON_TOO_DEEP       },
        {"[[[[[[[[[]",              JSON_MALFORMED      },
        {"{\"a\":1,\"a\":2}",       JSON_REPEATED_KEY   },
        {"{\"a\":1,\"\\u0061\":2}", JSON_REPEATED_KEY   },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err e = {0};
        struct json *j = parse(bad[i].text, strlen(bad[i].text), &e);
        if (j != NULL || e.class != ERR_PERM || e.code != (int)bad[i].fault)
            fail_msg("%s: fault %d, expected %d", bad[i].text, e.code, (int)bad[i].fault);
    }
}

static void a_nul_byte_ends_nothing(void **state)
{
    struct err e = {0};
    (void)state;
    assert_null(parse("{}\0", 3, &e));
    assert_int_equal(e.code, JSON_MALFORMED);
}

static void eight_levels_are_not_nine(void **state)
{
    (void)state;
    json_free(must_parse("[[[[[[[[]]]]]]]]"));
}

static void keys_with_nul_or_lone_surrogates_are_keys_of_their_own(void **state)
{
    struct json *j = must_parse("{\"a\\u0000\":1,\"a\":2,\"a\\u0000b\":3,\"\\\\u0000\":4,"
                                "\"\\ud800\":5,\"\\ud801\":6}");
    int64_t i = 0;
    (void)state;
    assert_true(json_int(json_get(j, "a"), &i));
    assert_int_equal(i, 2);
    assert_true(json_int(json_get(j, "\\u0000"), &i));
    assert_int_equal(i, 4);
    json_free(j);
}

static void strings_keep_their_nul_bytes(void **state)
{
    size_t len = 0;
    struct json *j = must_parse("{\"s\":\"a\\u0000b\",\"t\":\"plain\"}");
    (void)state;
    assert_memory_equal(json_string(json_get(j, "s"), &len), "a\0b", 3);
    assert_int_equal(len, 3);
    assert_null(json_get_text(j, "s"));
    assert_string_equal(json_get_text(j, "t"), "plain");
    json_free(j);
}

static void integers_outside_64_bits_are_no_integers(void **state)
{
    static const char *const bad[] = {"9223372036854775808",
                                      "18446744073709551616",
                                      "1.0",
                                      "1e0",
                                      "-9223372036854775809",
                                      "\"1\"",
                                      "null"};
    int64_t i = 0;
    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(bad); k++) {
        struct json *j = must_parse(bad[k]);
        if (json_int(j, &i))
            fail_msg("%s is no integer", bad[k]);
        json_free(j);
    }
    struct json *j = must_parse("-9223372036854775807");
    assert_true(json_int(j, &i));
    assert_int_equal(i, -INT64_MAX);
    json_free(j);
}

static void a_null_member_is_there_and_a_null_value_is_null(void **state)
{
    struct json *j = must_parse("{\"a\":null}");
    (void)state;
    assert_true(json_has(j, "a"));
    assert_false(json_has(j, "b"));
    assert_null(json_get(j, "a"));
    assert_int_equal(json_type(json_get(j, "a")), JSON_NULL);
    json_free(j);
    j = must_parse("null");
    assert_int_equal(json_type(j), JSON_NULL);
    assert_false(json_has(j, "a"));
    json_free(j);
}

static void wrong_types_answer_with_nothing(void **state)
{
    size_t len;
    struct json *j = must_parse("[1,true,1.5]");
    (void)state;
    assert_null(json_get(j, "a"));
    assert_null(json_string(j, &len));
    assert_int_equal(json_length(j), 3);
    assert_null(json_at(j, 3));
    assert_true(json_bool(json_at(j, 1)));
    assert_false(json_bool(json_at(j, 0)));
    assert_true(json_double(json_at(j, 2)) > 1.4 && json_double(json_at(j, 2)) < 1.6);
    assert_int_equal(json_length(json_at(j, 0)), 0);
    json_free(j);
}

static void count_member(void *arg, const char *key, const struct json *value)
{
    size_t *n = arg;
    *n += strlen(key) + json_length(value);
}

static void each_meets_every_member(void **state)
{
    size_t n = 0;
    struct json *j = must_parse("{\"a\":[1,2],\"bc\":null}");
    (void)state;
    json_each(j, count_member, &n);
    assert_int_equal(n, 5);
    json_free(j);
}

static void a_key_is_found_in_bytes_that_turn_out_malformed(void **state)
{
    static const struct {
        const char *bytes;
        bool found;
    } cases[] = {
        {"{\"code\":1}",         true },
        {"{\"c\\u006fde\":1",    true },
        {"{\"a\":1,\"code\":x",  true },
        {"{\"a\":{\"code\":1}}", false},
        {"{\"a\":\"code\"}",     false},
        {"{\"code\\u0000\":1}",  false},
        {"[\"code\"]",           false},
        {"",                     false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (json_bytes_have_key(cases[i].bytes, strlen(cases[i].bytes), "code") != cases[i].found)
            fail_msg("%s", cases[i].bytes);
}

static void what_is_built_reads_back(void **state)
{
    size_t len;
    struct json *o = json_new_object();
    struct json *a = json_new_array();
    (void)state;
    json_add_text(o, "t", "a/\"b\"\n\xE8\x85\xBE");
    json_add_text(o, "none", NULL);
    json_add_int(o, "i", INT64_MIN);
    json_append_text(a, "x");
    json_append(a, json_new_object());
    json_add(o, "a", a);
    const char *text = json_text(o, &len);
    assert_int_equal(strlen(text), len);
    assert_string_equal(text, "{\"t\":\"a/\\\"b\\\"\\n\xE8\x85\xBE\",\"i\":-9223372036854775808,"
                              "\"a\":[\"x\",{}]}");
    json_free(o);
}

static void no_memory_is_a_temporary_error(void **state)
{
    static const char text[] = "{\"a\\u0000\":1,\"b\":2}";
    (void)state;
    for (size_t nth = 1; nth <= 3; nth++) {
        struct err e = {0};
        mem_fail_after(nth);
        struct json *j = parse(text, strlen(text), &e);
        mem_fail_after(0);
        assert_null(j);
        assert_int_equal(e.class, ERR_TEMP);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_every_form_of_the_grammar),
        cmocka_unit_test(names_what_is_wrong_with_the_bytes),
        cmocka_unit_test(a_nul_byte_ends_nothing),
        cmocka_unit_test(eight_levels_are_not_nine),
        cmocka_unit_test(keys_with_nul_or_lone_surrogates_are_keys_of_their_own),
        cmocka_unit_test(strings_keep_their_nul_bytes),
        cmocka_unit_test(integers_outside_64_bits_are_no_integers),
        cmocka_unit_test(a_null_member_is_there_and_a_null_value_is_null),
        cmocka_unit_test(wrong_types_answer_with_nothing),
        cmocka_unit_test(each_meets_every_member),
        cmocka_unit_test(a_key_is_found_in_bytes_that_turn_out_malformed),
        cmocka_unit_test(what_is_built_reads_back),
        cmocka_unit_test(no_memory_is_a_temporary_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

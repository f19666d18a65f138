/* The three rules of the line grammar. */
#include <string.h>

#include "common/buf.h"
#include "common/settings/ini.h"
#include "tests/check.h"

static void on_line(void *arg, int line, const char *section, const char *key, const char *value)
{
    if (key == NULL)
        buf_add_fmt(arg, "%d[%s]", line, section);
    else
        buf_add_fmt(arg, "%d[%s]%s=%s|", line, section, key, value);
}

static void on_fault(void *arg, int line, const char *expected)
{
    assert_non_null(expected);
    buf_add_fmt(arg, "%d!", line);
}

static void check(const char *text, size_t len, const char *expected)
{
    struct buf out = BUF_INIT;
    ini_parse(text, len, on_line, on_fault, &out);
    assert_string_equal(buf_text(&out), expected);
    buf_free(&out);
}

static void lines_are_sections_keys_or_comments(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"",                              ""                               },
        {"\n\n  \n",                      ""                               },
        {"; a\n# b\n  ; c\n\t# d = e",    ""                               },
        {"[a]\nk = v",                    "1[a]2[a]k=v|"                   },
        {"[a]\r\nk = v\r\n",              "1[a]2[a]k=v|"                   },
        {"  [ scene\t  login ]  ",        "1[scene login]"                 },
        {"\xEF\xBB\xBF[a]",               "1[a]"                           },
        {"[a]\nk=",                       "1[a]2[a]k=|"                    },
        {"[a]\nk = a = b",                "1[a]2[a]k=a = b|"               },
        {"[a]\nk = v ; no comment # nor", "1[a]2[a]k=v ; no comment # nor|"},
        {"[a]\nk = \"v\"",                "1[a]2[a]k=\"v\"|"               },
        {"[a]\nk = [b]",                  "1[a]2[a]k=[b]|"                 },
        {"k = v",                         "1[]k=v|"                        },
        {"[a]\nlost\n[b]",                "1[a]2!3[b]"                     },
        {"[a]\n= v",                      "1[a]2!"                         },
        {"[a] x",                         "1!"                             },
        {"[a",                            "1!"                             },
        {"[]\n[ ]\n[a[b]]",               "1!2!3!"                         },
        {"[a]\nk = \xFF\nl = 1",          "1[a]2!3[a]l=1|"                 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(cases[i].text, strlen(cases[i].text), cases[i].expected);
}

static void a_nul_byte_is_a_fault_of_its_line(void **state)
{
    static const char text[] = "[a]\nk=1\0\nl=2";
    (void)state;
    check(text, sizeof(text) - 1, "1[a]2!3[a]l=2|");
}

static void a_value_may_be_of_any_length(void **state)
{
    struct buf text = BUF_INIT, expected = BUF_INIT;
    (void)state;
    buf_add_text(&text, "[a]\nk = ");
    buf_add_text(&expected, "1[a]2[a]k=");
    for (int i = 0; i < 10000; i++) {
        buf_add_text(&text, "0123456789");
        buf_add_text(&expected, "0123456789");
    }
    buf_add_text(&text, "\nl = 1");
    buf_add_text(&expected, "|3[a]l=1|");
    check(text.data, text.len, expected.data);
    buf_free(&text);
    buf_free(&expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_sections_keys_or_comments),
        cmocka_unit_test(a_nul_byte_is_a_fault_of_its_line),
        cmocka_unit_test(a_value_may_be_of_any_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* CSV cells: quoted by RFC 4180, and never a formula. */
#include "common/buf.h"
#include "ctl/csv.h"
#include "tests/check.h"

static void test_cells_are_quoted_and_never_a_formula(void **state)
{
    static const struct {
        const char *text, *cell;
    } cases[] = {
        {NULL,                  ""                          },
        {"",                    "\"\""                      },
        {"login",               "login"                     },
        {"a,b",                 "\"a,b\""                   },
        {"say \"hi\"",          "\"say \"\"hi\"\"\""        },
        {"two\nlines",          "\"two\nlines\""            },
        {"+8613800138000",      "+8613800138000"            },
        {"+86138****8000",      "+86138****8000"            },
        {"-1",                  "-1"                        },
        {"-",                   "\"'-\""                    },
        {"-A1",                 "\"'-A1\""                  },
        {"+1+cmd|'/C calc'!A0", "\"'+1+cmd|'/C calc'!A0\""  },
        {"=HYPERLINK(\"x\")",   "\"'=HYPERLINK(\"\"x\"\")\""},
        {"@SUM(A1)",            "\"'@SUM(A1)\""             },
        {"\t=1",                "\"'\t=1\""                 },
        {"\r=1",                "\"'\r=1\""                 },
        {"a=1",                 "a=1"                       },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out = BUF_INIT;
        csv_add_cell(&out, cases[i].text);
        assert_string_equal(buf_text(&out), cases[i].cell);
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells_are_quoted_and_never_a_formula),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Phone numbers are normalised as Tencent does, and nothing else is taken for one. */
#include <string.h>

#include "sandbox/number.h"
#include "tests/check.h"

struct number_case {
    const char *given;
    const char *e164; /* NULL: refused */
    unsigned nation_digits;
    const char *iso_code;
};

static const struct number_case cases[] = {
    {"+8613800138000",    "+8613800138000", 2, "CN" },
    {"13800138000",       "+8613800138000", 2, "CN" },
    {"8613800138000",     "+8613800138000", 2, "CN" },
    {"008613800138000",   "+8613800138000", 2, "CN" },
    {"+85251234567",      "+85251234567",   3, "HK" },
    {"0085251234567",     "+85251234567",   3, "HK" },
    {"+12025550123",      "+12025550123",   1, "US" },
    {"+999999999999",     NULL,             0, NULL }, /* no such country */
    {"+8612800138000",    NULL,             0, NULL }, /* no mobile number at home */
    {"+861380013800",     NULL,             0, NULL },
    {"+86138001380000",   NULL,             0, NULL },
    {"1380013800",        NULL,             0, NULL },
    {"85251234567",       NULL,             0, NULL }, /* without plus only mainland */
    {"+86 13800138000",   NULL,             0, NULL },
    {"+8613800138000x",   NULL,             0, NULL },
    {"+0613800138000",    NULL,             0, NULL },
    {"+",                 NULL,             0, NULL },
    {"00",                NULL,             0, NULL },
    {"",                  NULL,             0, NULL },
    {"+1234567",          NULL,             0, NULL }, /* too short */
    {"+1234567890123456", NULL,             0, NULL }, /* too long */
    {"+35312345678",      "+35312345678",   3, "DEF"},
};

static void numbers_are_normalised_or_refused(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct number_case *c = &cases[i];
        struct number n;
        bool ok = number_from_text(c->given, &n);
        if (ok != (c->e164 != NULL))
            fail_msg("%s was %s", c->given, ok ? "taken" : "refused");
        if (!ok)
            continue;
        assert_string_equal(n.e164, c->e164);
        assert_int_equal(n.nation_digits, c->nation_digits);
        assert_string_equal(n.iso_code, c->iso_code);
        assert_int_equal(n.mainland, strncmp(c->e164, "+86", 3) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_are_normalised_or_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

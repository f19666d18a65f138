/* Phone numbers: form, mask, country. */
#include <string.h>

#include "common/domain/phone.h"
#include "tests/check.h"

static void only_e164_is_a_phone(void **state)
{
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"+8613800138000",    true },
        {"+12345678",         true },
        {"+123456789012345",  true },
        {"+1234567",          false},
        {"+1234567890123456", false},
        {"+0123456789",       false},
        {"8613800138000",     false},
        {"+86 13800138000",   false},
        {"+8613800138o00",    false},
        {"",                  false},
        {"+",                 false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (phone_is_valid(cases[i].text, strlen(cases[i].text)) != cases[i].valid)
            fail_msg("%s", cases[i].text);
    assert_false(phone_is_valid("+86138001\0"
                                "38000",
                                15));
}

static void the_mask_hides_at_least_four_digits(void **state)
{
    static const struct {
        const char *phone, *masked;
    } cases[] = {
        {"+8613800138000",   "+86138****8000"},
        {"+12345678",        "+****5678"     },
        {"+123456789",       "+1****6789"    },
        {"+123456789012",    "+1234****9012" },
        {"+123456789012345", "+12345****2345"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char out[PHONE_MAX + 8];
        phone_mask(cases[i].phone, out);
        assert_string_equal(out, cases[i].masked);
    }
}

static void the_country_code_is_the_one_that_is_assigned(void **state)
{
    static const struct {
        const char *phone;
        size_t digits;
    } cases[] = {
        {"+8613800138000", 2},
        {"+85291234567",   3},
        {"+12125551234",   1},
        {"+79161234567",   1},
        {"+35312345678",   3},
        {"+99891234567",   3},
        {"+21012345678",   0},
        {"+99912345678",   0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (phone_country_digits(cases[i].phone) != cases[i].digits)
            fail_msg("%s: %zu", cases[i].phone, phone_country_digits(cases[i].phone));
}

static void a_code_is_a_whole_assigned_code(void **state)
{
    (void)state;
    assert_true(phone_is_country_code("86"));
    assert_true(phone_is_country_code("1"));
    assert_true(phone_is_country_code("852"));
    assert_false(phone_is_country_code(""));
    assert_false(phone_is_country_code("8"));
    assert_false(phone_is_country_code("+86"));
    assert_false(phone_is_country_code("861"));
    assert_false(phone_is_country_code("1242"));
    assert_false(phone_is_country_code("999"));
}

static void a_number_is_in_the_countries_that_name_its_code(void **state)
{
    char china[] = "86", hongkong[] = "852", eight[] = "8";
    char *const both[] = {hongkong, china};
    char *const short_one[] = {eight};
    (void)state;
    assert_true(phone_in_countries("+8613800138000", both, 2));
    assert_true(phone_in_countries("+85291234567", both, 2));
    assert_false(phone_in_countries("+85391234567", both, 2));
    assert_false(phone_in_countries("+8613800138000", short_one, 1));
    assert_false(phone_in_countries("+8613800138000", both, 0));
    assert_false(phone_in_countries("+99912345678", both, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_e164_is_a_phone),
        cmocka_unit_test(the_mask_hides_at_least_four_digits),
        cmocka_unit_test(the_country_code_is_the_one_that_is_assigned),
        cmocka_unit_test(a_code_is_a_whole_assigned_code),
        cmocka_unit_test(a_number_is_in_the_countries_that_name_its_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Faults are understood strictly, and meet just the requests that they name. */
#include <string.h>

#include "common/buf.h"
#include "common/err.h"
#include "sandbox/dice.h"
#include "sandbox/fault.h"
#include "tests/check.h"

#define PHONE "+8613800138000"
#define OTHER "+8613900139000"

static struct fault *parse(const char *json)
{
    struct err e = {0};
    struct fault *f = fault_parse(json, strlen(json), &e);
    if (!f)
        fail_msg("%s: %s", json, e.text);
    return f;
}

/* Asks n times for a request of that number; the answers as a line of 1 and 0. */
static const char *meets(struct faults *all, const char *action, const char *phone, size_t n)
{
    static char line[64];
    struct dice dice;
    dice_init(&dice, 1);
    assert_true(n < sizeof line);
    for (size_t i = 0; i < n; i++)
        line[i] = faults_pick(all, action, &phone, 1, US_PER_S, &dice) ? '1' : '0';
    line[n] = 0;
    return line;
}

struct match_case {
    const char *json;
    const char *action;
    const char *phone;
    const char *met; /* of five requests */
};

static const struct match_case matches[] = {
    {"{\"do\":{\"hang\":true}}",                                       "SendSms", PHONE, "11111"},
    {"{\"times\":2,\"do\":{\"hang\":true}}",                           "SendSms", PHONE, "11000"},
    {"{\"match\":{\"every\":2},\"do\":{\"hang\":true}}",               "SendSms", PHONE, "01010"},
    {"{\"match\":{\"every\":2},\"times\":1,\"do\":{\"hang\":true}}",   "SendSms", PHONE, "01000"},
    {"{\"match\":{\"probability\":0},\"do\":{\"hang\":true}}",         "SendSms", PHONE, "00000"},
    {"{\"match\":{\"probability\":1},\"do\":{\"hang\":true}}",         "SendSms", PHONE, "11111"},
    {"{\"match\":{\"action\":\"SendSms\"},\"do\":{\"hang\":true}}",    "SendSms", PHONE, "11111"},
    {"{\"match\":{\"action\":\"SendSms\"},\"do\":{\"hang\":true}}",    "Other",   PHONE, "00000"},
    {"{\"match\":{\"phone\":\"13800138000\"},\"do\":{\"hang\":true}}", "SendSms", PHONE, "11111"},
    {"{\"match\":{\"phone\":\"13800138000\"},\"do\":{\"hang\":true}}", "SendSms", OTHER, "00000"},
    {"{\"do\":{\"rate\":2}}",                                          "SendSms", PHONE, "00111"},
    {"{\"do\":{\"rate\":0}}",                                          "SendSms", PHONE, "11111"},
};

static void a_fault_meets_what_it_names(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(matches); i++) {
        struct faults all = {0};
        struct err e;
        assert_int_equal(faults_add(&all, parse(matches[i].json), &e), 0);
        const char *met = meets(&all, matches[i].action, matches[i].phone, 5);
        if (strcmp(met, matches[i].met) != 0)
            fail_msg("%s met %s", matches[i].json, met);
        faults_clear(&all);
    }
}

static void the_oldest_that_fits_is_taken(void **state UNUSED)
{
    struct faults all = {0};
    struct err e;
    struct dice dice;
    const char *phone = PHONE;
    dice_init(&dice, 1);
    assert_int_equal(faults_add(&all, parse("{\"times\":1,\"do\":{\"code\":\"A\"}}"), &e), 0);
    assert_int_equal(faults_add(&all, parse("{\"do\":{\"code\":\"B\"}}"), &e), 0);
    assert_string_equal(faults_pick(&all, "SendSms", &phone, 1, 1, &dice)->code, "A");
    assert_string_equal(faults_pick(&all, "SendSms", &phone, 1, 1, &dice)->code, "B");
    faults_clear(&all);
    assert_null(faults_pick(&all, "SendSms", &phone, 1, 1, &dice));
}

static void a_rate_refills(void **state UNUSED)
{
    struct faults all = {0};
    struct err e;
    struct dice dice;
    dice_init(&dice, 1);
    assert_int_equal(faults_add(&all, parse("{\"do\":{\"rate\":1}}"), &e), 0);
    assert_null(faults_pick(&all, "SendSms", NULL, 0, US_PER_S, &dice));
    assert_non_null(faults_pick(&all, "SendSms", NULL, 0, US_PER_S, &dice));
    assert_non_null(faults_pick(&all, "SendSms", NULL, 0, US_PER_S * 3 / 2, &dice));
    assert_null(faults_pick(&all, "SendSms", NULL, 0, US_PER_S * 2, &dice));
    faults_clear(&all);
}

static void a_probability_meets_its_share(void **state UNUSED)
{
    struct faults all = {0};
    struct err e;
    struct dice dice;
    unsigned met = 0;
    dice_init(&dice, 7);
    assert_int_equal(
        faults_add(&all, parse("{\"match\":{\"probability\":0.25},\"do\":{\"hang\":true}}"), &e),
        0);
    for (unsigned i = 0; i < 10000; i++)
        met += faults_pick(&all, "SendSms", NULL, 0, 1, &dice) != NULL;
    assert_in_range(met, 2300, 2700);
    faults_clear(&all);
}

struct accept_case {
    const char *json;
    bool accept;
};

static const struct accept_case accepts[] = {
    {"{\"do\":{\"delay_ms\":5}}",                                    true },
    {"{\"do\":{\"drop\":\"after\"}}",                                true },
    {"{\"do\":{\"truncate\":5}}",                                    true },
    {"{\"do\":{\"drop\":\"before\"}}",                               false},
    {"{\"do\":{\"code\":\"InternalError.Timeout\"}}",                false},
    {"{\"do\":{\"envelope\":\"InternalError\"}}",                    false},
    {"{\"do\":{\"status\":502}}",                                    false},
    {"{\"do\":{\"body\":\"<html>\"}}",                               false},
    {"{\"do\":{\"hang\":true}}",                                     false},
    {"{\"do\":{\"rate\":5}}",                                        false},
    {"{\"do\":{\"hang\":true,\"accept\":true}}",                     true },
    {"{\"do\":{\"delay_ms\":5,\"accept\":false}}",                   false},
    {"{\"do\":{\"delay_ms\":5,\"code\":\"InternalError.Timeout\"}}", false},
};

static void acceptance_is_as_the_contract_says(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(accepts); i++) {
        struct fault *f = parse(accepts[i].json);
        if (f->accept != accepts[i].accept)
            fail_msg("%s", accepts[i].json);
        fault_free(f);
    }
}

/* What it answers can be posted again, but for the members that only tell. */
static void a_fault_is_told_in_full(void **state UNUSED)
{
    struct buf out = BUF_INIT;
    struct fault *f = parse("{\"match\":{\"action\":\"SendSms\",\"phone\":\"" PHONE
                            "\",\"probability\":0.5,\"every\":3},\"times\":4,"
                            "\"do\":{\"body\":\"a\\\"b\\u0001\",\"status\":503,\"delay_ms\":7}}");
    f->id = 9;
    fault_add_json(f, &out);
    assert_string_equal(buf_text(&out),
                        "{\"id\":9,\"match\":{\"action\":\"SendSms\",\"phone\":\"" PHONE
                        "\",\"probability\":0.5,\"every\":3},\"times\":4,"
                        "\"do\":{\"status\":503,\"body\":\"a\\\"b\\u0001\",\"delay_ms\":7,"
                        "\"accept\":false},\"used\":0}");
    fault_free(f);
    buf_free(&out);
}

static const char *const bad[] = {
    "",
    "[]",
    "{}",
    "{\"do\":{}}",
    "{\"do\":[]}",
    "{\"do\":{\"accept\":true}}",
    "{\"do\":{\"hang\":false}}",
    "{\"do\":{\"hang\":1}}",
    "{\"do\":{\"drop\":\"later\"}}",
    "{\"do\":{\"code\":\"\"}}",
    "{\"do\":{\"code\":\"no spaces\"}}",
    "{\"do\":{\"code\":\"A\",\"envelope\":\"B\"}}",
    "{\"do\":{\"delay_ms\":-1}}",
    "{\"do\":{\"delay_ms\":1.5}}",
    "{\"do\":{\"truncate\":\"5\"}}",
    "{\"do\":{\"status\":99}}",
    "{\"do\":{\"body\":5}}",
    "{\"do\":{\"body\":\"\\u0000\"}}",
    "{\"do\":{\"rate\":-1}}",
    "{\"do\":{\"hang\":true,\"accept\":\"yes\"}}",
    "{\"do\":{\"hang\":true,\"extra\":1}}",
    "{\"do\":{\"hang\":true},\"extra\":1}",
    "{\"do\":{\"hang\":true},\"times\":0}",
    "{\"do\":{\"hang\":true},\"match\":5}",
    "{\"do\":{\"hang\":true},\"match\":{\"extra\":5}}",
    "{\"do\":{\"hang\":true},\"match\":{\"phone\":\"123\"}}",
    "{\"do\":{\"hang\":true},\"match\":{\"probability\":2}}",
    "{\"do\":{\"hang\":true},\"match\":{\"probability\":\"1\"}}",
    "{\"do\":{\"hang\":true},\"match\":{\"every\":0}}",
    "{\"do\":{\"hang\":true},\"match\":{\"action\":\"a b\"}}",
    "{\"do\":{\"hang\":true},\"match\":{\"action\":null}}",
};

static void what_is_no_fault_gets_one_sentence(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err e = {0};
        struct fault *f = fault_parse(bad[i], strlen(bad[i]), &e);
        if (f)
            fail_msg("taken: %s", bad[i]);
        assert_int_equal(e.class, ERR_PERM);
        assert_true(e.text[0] != 0 && !strchr(e.text, '\n'));
    }
}

static void spent_faults_make_room(void **state UNUSED)
{
    struct faults all = {0};
    struct err e = {0};
    for (int i = 0; i < FAULTS_MAX; i++)
        assert_int_equal(faults_add(&all, parse("{\"times\":1,\"do\":{\"hang\":true}}"), &e), 0);
    struct fault *more = parse("{\"do\":{\"hang\":true}}");
    assert_int_equal(faults_add(&all, more, &e), -1);
    assert_int_equal(e.class, ERR_TEMP);
    (void)meets(&all, "SendSms", PHONE, 1);
    assert_int_equal(faults_add(&all, more, &e), 0);
    assert_int_equal(all.n, FAULTS_MAX);
    faults_clear(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_meets_what_it_names),
        cmocka_unit_test(the_oldest_that_fits_is_taken),
        cmocka_unit_test(a_rate_refills),
        cmocka_unit_test(a_probability_meets_its_share),
        cmocka_unit_test(acceptance_is_as_the_contract_says),
        cmocka_unit_test(a_fault_is_told_in_full),
        cmocka_unit_test(what_is_no_fault_gets_one_sentence),
        cmocka_unit_test(spent_faults_make_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

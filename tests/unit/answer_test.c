/* The provider's answers: what is one, and what says nothing. */
#include <string.h>

#include "tests/check.h"
#include "worker/ports/sender.h"
#include "worker/tencent/answer.h"

#define PHONE "+8613800138000"
#define STATUS(serial, phone, fee, code)                                                           \
    "{\"SerialNo\":" serial ",\"PhoneNumber\":" phone ",\"Fee\":" fee ",\"Code\":" code "}"
#define SET(statuses) "{\"Response\":{\"SendStatusSet\":[" statuses "],\"RequestId\":\"a-1\"}}"
#define Q(text) "\"" text "\""
#define TEN "0123456789"
#define SIXTY_FOUR TEN TEN TEN TEN TEN TEN "0123"

static struct send_result read_send(const char *body)
{
    struct send_result r = {0};

    answer_read_send(body, strlen(body), PHONE, &r);
    return r;
}

static void an_acceptance_is_one_ok_for_our_number_with_a_serial_number(void **state)
{
    struct send_result r = read_send(SET(STATUS(Q("s:1"), Q(PHONE), "2", Q("Ok"))));

    (void)state;
    assert_int_equal(r.transport, SEND_ANSWERED);
    assert_true(r.accepted);
    assert_false(r.top_level);
    assert_string_equal(r.serial_no, "s:1");
    assert_string_equal(r.request_id, "a-1");
    assert_int_equal(r.fee, 2);
    r = read_send(SET(STATUS(Q(SIXTY_FOUR), Q(PHONE), "1", Q("Ok"))));
    assert_true(r.accepted);
    assert_string_equal(r.serial_no, SIXTY_FOUR);
}

static void a_refusal_comes_at_either_level(void **state)
{
    struct send_result r =
        read_send(SET(STATUS(Q(""), Q(PHONE), "0", Q("LimitExceeded.PhoneNumberDailyLimit"))));

    (void)state;
    assert_int_equal(r.transport, SEND_ANSWERED);
    assert_false(r.accepted);
    assert_false(r.top_level);
    assert_string_equal(r.code, "LimitExceeded.PhoneNumberDailyLimit");
    r = read_send("{\"Response\":{\"Error\":{\"Code\":\"UnsupportedOperation.\",\"Message\":\"\"},"
                  "\"RequestId\":\"a-2\"}}");
    assert_int_equal(r.transport, SEND_ANSWERED);
    assert_false(r.accepted);
    assert_true(r.top_level);
    assert_string_equal(r.code, "UnsupportedOperation.");
    assert_string_equal(r.request_id, "a-2");
}

static void anything_else_says_nothing(void **state)
{
    static const char *const bodies[] = {
        "",
        " ",
        "null",
        "[]",
        "{}",
        "<html></html>",
        "{\"Response\":null}",
        "{\"Response\":[]}",
        "{\"Response\":{}}",
        "{\"Response\":{\"RequestId\":\"a-1\"}}",
        "{\"Response\":{\"SendStatusSet\":{},\"RequestId\":\"a-1\"}}",
        "{\"Response\":{\"SendStatusSet\":null,\"RequestId\":\"a-1\"}}",
        SET(""),
        SET("null"),
        SET("1"),
        SET(STATUS(Q("s"), Q(PHONE), "1", Q("Ok")) "," STATUS(Q("s"), Q(PHONE), "1", Q("Ok"))),
        SET(STATUS(Q("s"), Q("+8613800138001"), "1", Q("Ok"))),
        SET(STATUS(Q("s"), Q("13800138000"), "1", Q("Ok"))),
        SET(STATUS(Q("s"), "13800138000", "1", Q("Ok"))),
        SET(STATUS(Q("s"), "null", "1", Q("Ok"))),
        SET(STATUS(Q(""), Q(PHONE), "1", Q("Ok"))),
        SET(STATUS("null", Q(PHONE), "1", Q("Ok"))),
        SET(STATUS("5", Q(PHONE), "1", Q("Ok"))),
        SET(STATUS(Q(SIXTY_FOUR "4"), Q(PHONE), "1", Q("Ok"))),
        SET(STATUS(Q("a b"), Q(PHONE), "1", Q("Ok"))),
        SET(STATUS(Q("s\\u0000"), Q(PHONE), "1", Q("Ok"))),
        SET(STATUS(Q("s"), Q(PHONE), Q("1"), Q("Ok"))),
        SET(STATUS(Q("s"), Q(PHONE), "-1", Q("Ok"))),
        SET(STATUS(Q("s"), Q(PHONE), "1e99", Q("Ok"))),
        SET(STATUS(Q("s"), Q(PHONE), "1", "true")),
        SET(STATUS(Q("s"), Q(PHONE), "1", Q(""))),
        SET(STATUS(Q("s"), Q(PHONE), "1", Q("LimitExceeded"))),
        SET(STATUS(Q(""), Q(PHONE), "0", Q("Limit Exceeded\\n"))),
        SET(STATUS(Q(""), Q(PHONE), "0", Q("\\u5931\\u8d25"))),
        SET(STATUS(Q(""), Q(PHONE), "0", Q(SIXTY_FOUR SIXTY_FOUR))),
        SET(STATUS(Q("s"), Q(PHONE), "1", Q("Ok"))) "}",
        SET(STATUS(Q("s"), Q(PHONE), "1", Q("Ok"))) "{}",
        "{\"Response\":{},\"Response\":{\"Error\":{\"Code\":\"Limit\"}}}",
        "{\"Response\":{\"Error\":null}}",
        "{\"Response\":{\"Error\":{}}}",
        "{\"Response\":{\"Error\":{\"Code\":7}}}",
        "{\"Response\":{\"Error\":{\"Code\":\"<b>\"}}}",
        "{\"Response\":{\"Error\":{\"Code\":\"LimitExceeded\"},\"SendStatusSet\":[]}}",
        "{'Response':{'Error':{'Code':'LimitExceeded'}}}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct send_result r = read_send(bodies[i]);
        if (r.transport != SEND_NO_ANSWER || r.accepted || r.top_level || r.code[0] ||
            r.serial_no[0] || r.fee != 0 || r.why[0] == '\0')
            fail_msg("was taken for an answer: %s", bodies[i]);
    }
}

static void no_beginning_of_an_answer_is_one(void **state)
{
    static const char whole[] = SET(STATUS(Q("s:1"), Q(PHONE), "1", Q("Ok")));

    (void)state;
    for (size_t len = 0; len < sizeof(whole) - 1; len++) {
        struct send_result r = {0};
        answer_read_send(whole, len, PHONE, &r);
        assert_int_equal(r.transport, SEND_NO_ANSWER);
    }
}

static void an_odd_request_id_is_left_out(void **state)
{
    struct send_result r = read_send(
        "{\"Response\":{\"Error\":{\"Code\":\"LimitExceeded\"},\"RequestId\":\"a\\nb\"}}");

    (void)state;
    assert_int_equal(r.transport, SEND_ANSWERED);
    assert_string_equal(r.request_id, "");
}

static void a_query_is_answered_or_refused_or_neither(void **state)
{
    static const struct {
        const char *body;
        bool is_answer;
        const char *code;
    } cases[] = {
        {"{\"Response\":{\"PhoneNumberInfoSet\":[{}],\"RequestId\":\"a\"}}",     true,  ""             },
        {"{\"Response\":{\"Error\":{\"Code\":\"AuthFailure.X\"}}}",              true,  "AuthFailure.X"},
        {"{\"Response\":{\"Error\":{\"Code\":\"\"},\"PhoneNumberInfoSet\":[]}}", false, ""             },
        {"{\"Response\":{\"PhoneNumberInfoSet\":null}}",                         false, ""             },
        {"{\"Response\":{}}",                                                    false, ""             },
        {"",                                                                     false, ""             },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char code[96] = "?", why[160] = "";
        assert_int_equal(answer_read_query(cases[i].body, strlen(cases[i].body), code, why),
                         cases[i].is_answer);
        assert_string_equal(code, cases[i].code);
        assert_int_equal(why[0] == '\0', cases[i].is_answer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_acceptance_is_one_ok_for_our_number_with_a_serial_number),
        cmocka_unit_test(a_refusal_comes_at_either_level),
        cmocka_unit_test(anything_else_says_nothing),
        cmocka_unit_test(no_beginning_of_an_answer_is_one),
        cmocka_unit_test(an_odd_request_id_is_left_out),
        cmocka_unit_test(a_query_is_answered_or_refused_or_neither),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

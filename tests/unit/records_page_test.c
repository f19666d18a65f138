/* A page of send records: what is understood, and what makes its silence mean nothing. */
#include <string.h>

#include "common/buf.h"
#include "tests/check.h"
#include "worker/tencent/records_page.h"

#define PHONE "+8613800138000"
#define OTHER "+8613800138001"
#define OLDEST 1700000000
#define NEWEST 1700000100
#define RECORD(serial, phone, status, code, time)                                                  \
    "{\"SerialNo\":" serial ",\"PhoneNumber\":" phone ",\"SendStatus\":" status                    \
    ",\"RequestCode\":" code ",\"StatusCode\":\"\",\"Content\":\"***\",\"SendTime\":" time "}"
#define Q(text) "\"" text "\""
#define GOOD RECORD(Q("s:1"), Q(PHONE), "3", Q("Ok"), "1700000050")
#define REFUSED RECORD(Q(""), Q(PHONE), "1", Q("LimitExceeded.DailyLimit"), "1700000051")
#define LIST(records, total) "{\"Response\":{\"SendRecordSet\":[" records "]" total "}}"
#define TOTAL(n) ",\"TotalCount\":" n

static const struct records_scope scope = {PHONE, OLDEST, NEWEST};

struct reading {
    struct records_page page;
    char code[96];
    char why[160];
    const char *fault;
};

static struct reading read_page(const char *body)
{
    static struct reading r;

    r.fault = records_page_read(body, strlen(body), &scope, &r.page, r.code, r.why);
    return r;
}

static void a_page_lists_accepted_and_refused_messages(void **state)
{
    static const char *const statuses[] = {"1", "2", "3", "4"};
    struct reading r = read_page(LIST(GOOD "," REFUSED, TOTAL("7")));

    (void)state;
    assert_null(r.fault);
    assert_int_equal(r.page.listed, 2);
    assert_int_equal(r.page.n, 2);
    assert_int_equal(r.page.total, 7);
    assert_string_equal(r.page.records[0].serial_no, "s:1");
    assert_true(r.page.records[0].accepted);
    assert_int_equal(r.page.records[0].sent_s, 1700000050);
    assert_string_equal(r.page.records[1].serial_no, "");
    assert_string_equal(r.page.records[1].code, "LimitExceeded.DailyLimit");
    assert_false(r.page.records[1].accepted);
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        struct buf body = BUF_INIT;

        buf_add_fmt(&body, LIST(RECORD(Q("s:1"), Q(PHONE), "%s", Q("X.Y"), "1700000050"), ""),
                    statuses[i]);
        r = read_page(buf_text(&body));
        assert_null(r.fault);
        assert_int_equal(r.page.records[0].accepted, i > 0);
        assert_string_equal(r.page.records[0].code, "X.Y");
        buf_free(&body);
    }
}

static void an_empty_list_is_an_answer(void **state)
{
    struct reading r = read_page(LIST("", ""));

    (void)state;
    assert_null(r.fault);
    assert_int_equal(r.page.listed, 0);
    assert_int_equal(r.page.total, -1);
    assert_null(read_page(LIST("", TOTAL("0"))).fault);
}

static struct reading read_before_a_good_one(const char *record)
{
    struct buf body = BUF_INIT;
    struct reading r;

    buf_add_fmt(&body, LIST("%s," GOOD, TOTAL("2")), record);
    r = read_page(buf_text(&body));
    buf_free(&body);
    return r;
}

static void an_odd_record_is_left_out_and_said(void **state)
{
    static const char *const records[] = {
        "null",
        "7",
        "{}",
        RECORD(Q("s:2"), Q(OTHER), "3", Q("Ok"), "1700000050"),
        RECORD(Q("s:2"), Q("13800138000"), "3", Q("Ok"), "1700000050"),
        RECORD(Q("s:2"), "null", "3", Q("Ok"), "1700000050"),
        RECORD(Q("s:2"), Q(PHONE), "0", Q("Ok"), "1700000050"),
        RECORD(Q("s:2"), Q(PHONE), "5", Q("Ok"), "1700000050"),
        RECORD(Q("s:2"), Q(PHONE), "-1", Q("Ok"), "1700000050"),
        RECORD(Q("s:2"), Q(PHONE), "4294967299", Q("Ok"), "1700000050"),
        RECORD(Q("s:2"), Q(PHONE), Q("3"), Q("Ok"), "1700000050"),
        RECORD(Q("s:2"), Q(PHONE), "3.5", Q("Ok"), "1700000050"),
        RECORD(Q("s:2"), Q(PHONE), "null", Q("Ok"), "1700000050"),
        RECORD(Q("s:2"), Q(PHONE), "3", Q("Ok"), "1699999999"),
        RECORD(Q("s:2"), Q(PHONE), "3", Q("Ok"), "1700000101"),
        RECORD(Q("s:2"), Q(PHONE), "3", Q("Ok"), "1700028850"),
        RECORD(Q("s:2"), Q(PHONE), "3", Q("Ok"), "1700000050000"),
        RECORD(Q("s:2"), Q(PHONE), "3", Q("Ok"), Q("2023-11-14 22:14:10")),
        RECORD(Q("s:2"), Q(PHONE), "3", Q("Ok"), "1e99"),
        RECORD(Q("s:2"), Q(PHONE), "3", Q("Ok"), "0"),
        RECORD(Q("s:2"), Q(PHONE), "3", Q("Ok"), "null"),
        RECORD(Q(""), Q(PHONE), "3", Q("Ok"), "1700000050"),
        RECORD("null", Q(PHONE), "2", Q("Ok"), "1700000050"),
        RECORD("5", Q(PHONE), "4", Q("Ok"), "1700000050"),
        RECORD(Q("a b"), Q(PHONE), "3", Q("Ok"), "1700000050"),
        RECORD(Q("s\\u0000"), Q(PHONE), "3", Q("Ok"), "1700000050"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(records); i++) {
        struct reading r = read_before_a_good_one(records[i]);

        if (!r.fault || r.page.n != 1 || r.page.listed != 2 || r.code[0])
            fail_msg("was understood: %s", records[i]);
        assert_string_equal(r.page.records[0].serial_no, "s:1");
    }
}

static void a_refused_message_without_a_readable_code_is_given_and_said(void **state)
{
    static const char *const records[] = {
        RECORD(Q(""), Q(PHONE), "1", "null", "1700000050"),
        RECORD(Q(""), Q(PHONE), "1", Q("Frequency \\u9650"), "1700000050"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(records); i++) {
        struct reading r = read_before_a_good_one(records[i]);

        assert_non_null(r.fault);
        assert_int_equal(r.page.n, 2);
        assert_false(r.page.records[0].accepted);
        assert_string_equal(r.page.records[0].code, "");
    }
}

static void a_refused_query_has_its_code(void **state)
{
    struct reading r = read_page(
        "{\"Response\":{\"Error\":{\"Code\":\"RequestLimitExceeded\",\"Message\":\"\"}}}");

    (void)state;
    assert_non_null(r.fault);
    assert_string_equal(r.code, "RequestLimitExceeded");
    assert_int_equal(r.page.listed, 0);
    r = read_page("{\"Response\":{\"Error\":{\"Code\":\"<b>\"}}}");
    assert_non_null(r.fault);
    assert_string_equal(r.code, "");
    r = read_page("{\"Response\":{\"Error\":{\"Code\":\"X.Y\"},\"SendRecordSet\":[" GOOD "]}}");
    assert_non_null(r.fault);
    assert_int_equal(r.page.n, 0);
}

static void what_is_no_list_says_nothing(void **state)
{
    static const char *const bodies[] = {
        "",
        "null",
        "[]",
        "{}",
        "<html></html>",
        "{\"Response\":null}",
        "{\"Response\":{}}",
        "{\"Response\":{\"TotalCount\":0}}",
        "{\"Response\":{\"SendRecordSet\":null,\"TotalCount\":0}}",
        "{\"Response\":{\"SendRecordSet\":{},\"TotalCount\":0}}",
        "{\"Response\":{\"SendStatusSet\":[]}}",
        LIST("", TOTAL("null")),
        LIST("", TOTAL("-1")),
        LIST("", TOTAL("\"0\"")),
        LIST("", TOTAL("1e99")),
        LIST("", "") "{}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct reading r = read_page(bodies[i]);
        if (!r.fault || r.page.n != 0 || r.page.total > 0 || r.code[0])
            fail_msg("was taken for a list: %s", bodies[i]);
    }
}

static void no_beginning_of_a_page_is_one(void **state)
{
    static const char whole[] = LIST(GOOD "," REFUSED, TOTAL("2"));

    (void)state;
    for (size_t len = 0; len < sizeof(whole) - 1; len++) {
        struct reading r;
        assert_non_null(records_page_read(whole, len, &scope, &r.page, r.code, r.why));
        assert_int_equal(r.page.n, 0);
    }
}

static void more_than_a_page_holds_is_none(void **state)
{
    struct buf body = BUF_INIT;
    struct reading r;

    (void)state;
    buf_add_text(&body, "{\"Response\":{\"SendRecordSet\":[" GOOD);
    for (unsigned i = 0; i < RECORDS_PAGE_MAX; i++)
        buf_add_text(&body, "," GOOD);
    buf_add_text(&body, "]}}");
    r = read_page(buf_text(&body));
    assert_non_null(r.fault);
    assert_int_equal(r.page.n, 0);
    buf_free(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_lists_accepted_and_refused_messages),
        cmocka_unit_test(an_empty_list_is_an_answer),
        cmocka_unit_test(an_odd_record_is_left_out_and_said),
        cmocka_unit_test(a_refused_message_without_a_readable_code_is_given_and_said),
        cmocka_unit_test(a_refused_query_has_its_code),
        cmocka_unit_test(what_is_no_list_says_nothing),
        cmocka_unit_test(no_beginning_of_a_page_is_one),
        cmocka_unit_test(more_than_a_page_holds_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

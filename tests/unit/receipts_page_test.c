/* A page of receipts: what is understood, and that nothing which came is dropped. */
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "tests/check.h"
#include "worker/tencent/receipts_page.h"

#define RECEIPT                                                                                    \
    "{\"UserReceiveTime\":1620734188,\"CountryCode\":\"86\",\"SubscriberNumber\":\"13800138000\"," \
    "\"PhoneNumber\":\"+8613800138000\",\"SerialNo\":\"2433:22\",\"ReportStatus\":\"SUCCESS\","    \
    "\"Description\":\"DELIVRD\",\"SessionContext\":\"\",\"New\":[{\"a\":1}]}"
#define LIST(receipts)                                                                             \
    "{\"Response\":{\"PullSmsSendStatusSet\":[" receipts "],\"RequestId\":\"a\"}}"
#define CUT_LIST "{\"Response\":{\"PullSmsSendStatusSet\":[" RECEIPT

struct reading {
    struct arena *arena;
    struct receipts_page page;
    char code[96];
    char why[160];
    const char *fault;
};

static struct reading r;

static void read_bytes(const char *body, size_t len)
{
    arena_free(r.arena);
    r.arena = arena_new(256);
    assert_non_null(r.arena);
    r.fault = receipts_page_read(body, len, r.arena, &r.page, r.code, r.why);
}

static void read_page(const char *body)
{
    read_bytes(body, strlen(body));
}

static int forget(void **state)
{
    (void)state;
    arena_free(r.arena);
    r.arena = NULL;
    return 0;
}

static void a_receipt_is_taken_apart_and_kept_as_it_came(void **state)
{
    const struct receipt *got = r.page.receipts;

    (void)state;
    read_page(LIST(RECEIPT));
    assert_null(r.fault);
    assert_int_equal(r.page.n, 1);
    assert_null(got->fault);
    assert_string_equal(got->serial_no, "2433:22");
    assert_string_equal(got->phone, "+8613800138000");
    assert_string_equal(got->status, "SUCCESS");
    assert_string_equal(got->code, "DELIVRD");
    assert_string_equal(got->description, "DELIVRD");
    assert_true(got->user_received_us == 1620734188 * US_PER_S);
    assert_string_equal(got->raw, RECEIPT);
}

static void an_empty_list_is_an_answer(void **state)
{
    (void)state;
    read_page(LIST(""));
    assert_null(r.fault);
    assert_int_equal(r.page.n, 0);
}

static void what_is_odd_beside_the_point_is_left_out(void **state)
{
    static const struct {
        const char *receipt;
        const char *phone, *code, *description;
        int64_t at_s;
    } cases[] = {
        {"\"PhoneNumber\":\"+8613800138000\",\"UserReceiveTime\":\"2019-10-08 17:18:37\"",
         "+8613800138000",                                                                                   NULL, NULL,            0},
        {"\"PhoneNumber\":\"13800138000\",\"CountryCode\":\"86\",\"SubscriberNumber\":"
         "\"13800138000\",\"UserReceiveTime\":-1",                                "+8613800138000", NULL, NULL,            0},
        {"\"PhoneNumber\":7,\"CountryCode\":\"852\",\"SubscriberNumber\":\"61234567\","
         "\"UserReceiveTime\":9223372036854775807",                               "+85261234567",   NULL, NULL,            0},
        {"\"PhoneNumber\":\"+8613800138000\",\"Description\":\"not delivered\"",           "+8613800138000",
         NULL,                                                                                                     "not delivered", 0},
        {"\"PhoneNumber\":\"+8613800138000\",\"Description\":[1],\"UserReceiveTime\":5",
         "+8613800138000",                                                                                   NULL, NULL,            5},
        {"\"PhoneNumber\":\"+8613800138000\",\"Description\":\"a\\u0000b\"",               "+8613800138000", NULL,
         NULL,                                                                                                                      0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct receipt *got = r.page.receipts;
        struct buf body = BUF_INIT;

        buf_add_fmt(&body, LIST("{\"SerialNo\":\"s\",\"ReportStatus\":\"FAIL\",%s}"),
                    cases[i].receipt);
        read_page(buf_text(&body));
        buf_free(&body);
        assert_null(r.fault);
        assert_null(got->fault);
        assert_string_equal(got->phone, cases[i].phone);
        assert_true(got->user_received_us == cases[i].at_s * US_PER_S);
        assert_null(got->code);
        if (cases[i].description)
            assert_string_equal(got->description, cases[i].description);
        else
            assert_null(got->description);
    }
}

static void a_receipt_that_says_too_little_is_kept_with_its_fault(void **state)
{
    static const char *const odd[] = {
        "7",
        "null",
        "\"text\"",
        "[[]]",
        "{}",
        "{\"PhoneNumber\":\"+8613800138000\",\"ReportStatus\":\"SUCCESS\"}",
        "{\"SerialNo\":\"\",\"PhoneNumber\":\"+8613800138000\",\"ReportStatus\":\"SUCCESS\"}",
        "{\"SerialNo\":\"a b\",\"PhoneNumber\":\"+8613800138000\",\"ReportStatus\":\"SUCCESS\"}",
        "{\"SerialNo\":5,\"PhoneNumber\":\"+8613800138000\",\"ReportStatus\":\"SUCCESS\"}",
        "{\"SerialNo\":\"s\",\"ReportStatus\":\"SUCCESS\"}",
        "{\"SerialNo\":\"s\",\"PhoneNumber\":\"13800138000\",\"ReportStatus\":\"SUCCESS\"}",
        "{\"SerialNo\":\"s\",\"PhoneNumber\":\"+8613800138000\"}",
        "{\"SerialNo\":\"s\",\"PhoneNumber\":\"+8613800138000\",\"ReportStatus\":\"success\"}",
        "{\"SerialNo\":\"s\",\"PhoneNumber\":\"+8613800138000\",\"ReportStatus\":true}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        struct buf body = BUF_INIT;

        buf_add_fmt(&body, LIST("%s," RECEIPT), odd[i]);
        read_page(buf_text(&body));
        buf_free(&body);
        assert_null(r.fault);
        assert_int_equal(r.page.n, 2);
        assert_non_null(r.page.receipts[0].fault);
        assert_string_equal(r.page.receipts[0].raw, odd[i]);
        assert_null(r.page.receipts[1].fault);
    }
}

static void a_refusal_has_its_code_and_nothing_to_keep(void **state)
{
    (void)state;
    read_page("{\"Response\":{\"Error\":{\"Code\":\"UnauthorizedOperation.X\",\"Message\":\"\"}}}");
    assert_non_null(r.fault);
    assert_string_equal(r.code, "UnauthorizedOperation.X");
    assert_int_equal(r.page.n, 0);
}

static void a_body_that_is_no_list_is_kept_whole(void **state)
{
    static const char *const bodies[] = {
        "<html>",
        "{}",
        "{\"Response\":7}",
        "{\"Response\":{}}",
        "{\"Response\":{\"PullSmsSendStatusSet\":null}}",
        "{\"Response\":{\"PullSmsSendStatusSet\":{}}}",
        "{\"Response\":{\"Error\":{\"Code\":7}}}",
        "{\"Response\":{\"Error\":{\"Code\":\"X.Y\"},\"PullSmsSendStatusSet\":[" RECEIPT "]}}",
        CUT_LIST,
        "\xe5\x95\x8a",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        read_page(bodies[i]);
        assert_non_null(r.fault);
        assert_string_equal(r.code, "");
        assert_int_equal(r.page.n, 1);
        assert_string_equal(r.page.receipts[0].raw, bodies[i]);
        assert_string_equal(r.page.receipts[0].fault, r.fault);
        assert_null(r.page.receipts[0].serial_no);
    }
}

static void bytes_that_are_no_text_are_kept_as_one(void **state)
{
    (void)state;
    read_bytes("a\0b\xff\x80", 5);
    assert_non_null(r.fault);
    assert_int_equal(r.page.n, 1);
    assert_string_equal(r.page.receipts[0].raw, "a?b??");
    read_bytes("", 0);
    assert_non_null(r.fault);
    assert_int_equal(r.page.n, 0);
}

static void a_full_page_is_read_and_a_fuller_one_is_kept_whole(void **state)
{
    struct buf body = BUF_INIT;

    (void)state;
    buf_add_text(&body, "{\"Response\":{\"PullSmsSendStatusSet\":[" RECEIPT);
    for (unsigned i = 1; i < RECEIPTS_PAGE_MAX; i++)
        buf_add_text(&body, "," RECEIPT);
    buf_add_text(&body, "]}}");
    read_page(buf_text(&body));
    assert_null(r.fault);
    assert_int_equal(r.page.n, RECEIPTS_PAGE_MAX);
    body.len -= 3;
    buf_add_text(&body, "," RECEIPT "]}}");
    read_page(buf_text(&body));
    assert_non_null(r.fault);
    assert_int_equal(r.page.n, 1);
    assert_string_equal(r.page.receipts[0].raw, buf_text(&body));
    buf_free(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_receipt_is_taken_apart_and_kept_as_it_came, forget),
        cmocka_unit_test_teardown(an_empty_list_is_an_answer, forget),
        cmocka_unit_test_teardown(what_is_odd_beside_the_point_is_left_out, forget),
        cmocka_unit_test_teardown(a_receipt_that_says_too_little_is_kept_with_its_fault, forget),
        cmocka_unit_test_teardown(a_refusal_has_its_code_and_nothing_to_keep, forget),
        cmocka_unit_test_teardown(a_body_that_is_no_list_is_kept_whole, forget),
        cmocka_unit_test_teardown(bytes_that_are_no_text_are_kept_as_one, forget),
        cmocka_unit_test_teardown(a_full_page_is_read_and_a_fuller_one_is_kept_whole, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

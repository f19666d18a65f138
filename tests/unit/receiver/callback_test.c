/* What is taken from a callback, and what goes into quarantine, byte by byte. */
#include <string.h>

#include "common/clock.h"
#include "common/domain/receipt.h"
#include "common/mem.h"
#include "receiver/callback.h"
#include "tests/check.h"

#define GOOD                                                                                       \
    "\"nationcode\":\"86\",\"mobile\":\"13800138000\",\"report_status\":\"SUCCESS\",\"sid\":\"1:"  \
    "2\""

static struct arena *arena;
static struct callback callback;

static void read_body(const char *body)
{
    arena_free(arena);
    arena = arena_new(256);
    assert_non_null(arena);
    assert_true(callback_read(body, strlen(body), arena, &callback));
}

static void assert_text(const char *found, const char *expected)
{
    if (!expected)
        assert_null(found);
    else
        assert_string_equal(found ? found : "(null)", expected);
}

static void each_member_is_taken_in_the_forms_that_are_known(void **state)
{
    static const struct {
        const char *body, *serial_no, *phone, *status, *code, *description;
        int64_t at_s;
    } rows[] = {
        {"[{" GOOD "}]",                                                                       "1:2", "+8613800138000", "SUCCESS", NULL,      NULL,  0         },
        {"[{\"sid\":\"s\",\"nationcode\":86,\"mobile\":13800138000,\"report_status\":\"FAIL\","
         "\"errmsg\":\"MK:0001\",\"description\":\"\\u7528\"}]",                      "s",   "+8613800138000", "FAIL",    "MK:0001", "用", 0         },
        {"[{\"sid\":\"s\",\"mobile\":\"+85261234567\",\"report_status\":\"FAIL\"}]",           "s",
         "+85261234567",                                                                                                "FAIL",    NULL,      NULL,  0         },
        {"[{" GOOD ",\"user_receive_time\":\"2026-11-24 08:00:05\"}]",                         "1:2", "+8613800138000",
         "SUCCESS",                                                                                                                NULL,      NULL,  1795478405},
        {"[{" GOOD ",\"user_receive_time\":\"1970-01-01 07:59:59\"}]",                         "1:2", "+8613800138000",
         "SUCCESS",                                                                                                                NULL,      NULL,  0         },
        {"[{" GOOD ",\"user_receive_time\":\"2026-13-24 08:00:05\"}]",                         "1:2", "+8613800138000",
         "SUCCESS",                                                                                                                NULL,      NULL,  0         },
        {"[{" GOOD ",\"errmsg\":\"a b\",\"description\":7,\"ext\":{\"a\":[\"]\",\"\\\"\"]}}]",
         "1:2",                                                                                       "+8613800138000", "SUCCESS", NULL,      NULL,  0         },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        read_body(rows[i].body);
        assert_int_equal(callback.n, 1);
        const struct receipt *r = &callback.receipts[0];
        assert_text(r->fault, NULL);
        assert_text(r->serial_no, rows[i].serial_no);
        assert_text(r->phone, rows[i].phone);
        assert_text(r->status, rows[i].status);
        assert_text(r->code, rows[i].code);
        assert_text(r->description, rows[i].description);
        assert_int_equal(r->user_received_us, rows[i].at_s * US_PER_S);
        assert_int_equal(r->raw_len, strlen(rows[i].body) - 2);
        assert_memory_equal(r->raw, rows[i].body + 1, r->raw_len);
    }
}

static void what_cannot_be_understood_has_its_fault_and_its_bytes(void **state)
{
    static const struct {
        const char *body, *fault, *raw;
    } rows[] = {
        {"",                                                                                  "the body is empty",               ""      },
        {"x",                                                                                 "JSON",                            "x"     },
        {"{}",                                                                                "the body is no array",            "{}"    },
        {" [ ] ",                                                                             "the array is empty",              " [ ] " },
        {"[ \"],\" ]",                                                                        "the receipt is no object",        "\"],\""},
        {"[{}]",                                                                              "the receipt has no readable sid", "{}"    },
        {"[{\"sid\":\"a b\"}]",                                                               "the receipt has no readable sid", NULL    },
        {"[{\"sid\":\"a\",\"nationcode\":\"86\"}]",                                           "the receipt has no phone number", NULL    },
        {"[{\"sid\":\"a\",\"nationcode\":\"86\",\"mobile\":\"12345678901234567890123456\"}]",
         "the receipt has no phone number",                                                                                      NULL    },
        {"[{\"sid\":\"a\",\"mobile\":\"+8613800138000\",\"report_status\":\"success\"}]",
         "neither SUCCESS nor FAIL",                                                                                             NULL    },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        read_body(rows[i].body);
        assert_int_equal(callback.n, 1);
        const struct receipt *r = &callback.receipts[0];
        assert_non_null(r->fault);
        assert_non_null(strstr(r->fault, rows[i].fault));
        if (rows[i].raw) {
            assert_int_equal(r->raw_len, strlen(rows[i].raw));
            assert_memory_equal(r->raw, rows[i].raw, r->raw_len);
        }
    }
}

static void receipts_of_one_callback_keep_their_order_and_their_own_bytes(void **state)
{
    (void)state;
    read_body("[ {" GOOD "} ,7,\n{\"a\":[{}]}\t, [[],\"\\\\\"]]");
    static const char *const raws[] = {"{" GOOD "}", "7", "{\"a\":[{}]}", "[[],\"\\\\\"]"};
    assert_int_equal(callback.n, ARRAY_LEN(raws));
    for (size_t i = 0; i < callback.n; i++) {
        assert_int_equal(callback.receipts[i].raw_len, strlen(raws[i]));
        assert_memory_equal(callback.receipts[i].raw, raws[i], strlen(raws[i]));
        assert_int_equal(callback.receipts[i].fault == NULL, i == 0);
    }
}

static void without_memory_nothing_is_said_to_be_read(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        struct arena *small = arena_new(1);
        mem_fail_after(n);
        bool done = callback_read("[{" GOOD "}]", strlen("[{" GOOD "}]"), small, &callback);
        mem_fail_after(0);
        assert_true(!done || (callback.n == 1 && callback.receipts[0].phone != NULL));
        arena_free(small);
        if (done)
            break;
    }
}

static int forget(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_member_is_taken_in_the_forms_that_are_known),
        cmocka_unit_test(what_cannot_be_understood_has_its_fault_and_its_bytes),
        cmocka_unit_test(receipts_of_one_callback_keep_their_order_and_their_own_bytes),
        cmocka_unit_test(without_memory_nothing_is_said_to_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, forget);
}

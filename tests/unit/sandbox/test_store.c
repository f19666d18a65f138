/* Messages are found by number, limits count what was accepted, texts are Tencent's. */
#include <string.h>

#include "common/buf.h"
#include "sandbox/limits.h"
#include "sandbox/store.h"
#include "tests/check.h"

#define PHONE "+8613800138000"
#define AFTERNOON (INT64_C(1795507200) * US_PER_S) /* 2026-11-24, 16:00 in China */

static const struct message_content code_a = {
    .template_id = "1",
    .sign_name = "AA生活服务",
    .session_context = "job \"1\"",
    .app_id = "14",
    .params = {"384592", "5"},
    .n_params = 2,
};
static const struct message_content code_b = {
    .template_id = "1",
    .sign_name = "AA生活服务",
    .session_context = "job 2",
    .app_id = "14",
    .params = {"000000", "5"},
    .n_params = 2,
};

static void send(struct store *s, const struct message_content *c, int64_t at_us)
{
    (void)store_add(s, PHONE, c, "2640:1", "Ok", at_us);
}

static void the_same_content_waits_30_seconds(void **state UNUSED)
{
    struct store s = {0};
    int64_t now = AFTERNOON;
    assert_string_equal(limits_judge(&s, PHONE, &code_a, now), "Ok");
    send(&s, &code_a, now);
    assert_string_equal(limits_judge(&s, PHONE, &code_a, now + 29 * US_PER_S),
                        "LimitExceeded.PhoneNumberThirtySecondLimit");
    assert_string_equal(limits_judge(&s, PHONE, &code_b, now + 29 * US_PER_S), "Ok");
    assert_string_equal(limits_judge(&s, PHONE, &code_a, now + 30 * US_PER_S), "Ok");
    assert_string_equal(limits_judge(&s, "+8613900139000", &code_a, now), "Ok");
    store_clear(&s);
}

static void two_messages_a_day_in_china(void **state UNUSED)
{
    struct store s = {0};
    int64_t now = AFTERNOON;
    int64_t midnight = now + 8 * 3600 * US_PER_S;
    send(&s, &code_a, now);
    send(&s, &code_b, now + US_PER_S);
    assert_string_equal(limits_judge(&s, PHONE, &code_a, midnight - US_PER_S),
                        "LimitExceeded.PhoneNumberDailyLimit");
    assert_string_equal(limits_judge(&s, PHONE, &code_a, midnight), "Ok");
    store_clear(&s);
}

static void refused_messages_do_not_count(void **state UNUSED)
{
    struct store s = {0};
    int64_t now = AFTERNOON;
    for (int i = 0; i < 5; i++)
        (void)store_add(&s, PHONE, &code_a, "", "FailedOperation.ContainSensitiveWord", now);
    assert_string_equal(limits_judge(&s, PHONE, &code_a, now), "Ok");
    store_clear(&s);
}

static void a_message_is_told_in_full(void **state UNUSED)
{
    struct store s = {0};
    struct buf out = BUF_INIT;
    const struct message *m =
        store_add(&s, PHONE, &code_a, "2640:1", "Ok", AFTERNOON + 123 * US_PER_MS);
    message_add_json(m, &out);
    assert_string_equal(
        buf_text(&out),
        "{\"phone\":\"" PHONE "\",\"text\":\"【AA生活服务】您的验证码为：384592，请于5分钟内填写。"
        "如非本人操作，请忽略本短信。\",\"params\":[\"384592\",\"5\"],\"template_id\":\"1\","
        "\"sign_name\":\"AA生活服务\",\"session_context\":\"job \\\"1\\\"\","
        "\"serial_no\":\"2640:1\",\"at\":\"2026-11-24T08:00:00.123Z\"}");
    buf_free(&out);
    store_clear(&s);
}

static void the_oldest_make_room(void **state UNUSED)
{
    struct store s = {0};
    (void)store_add(&s, "+8613900139000", &code_a, "2640:0", "Ok", 0);
    for (int64_t i = 1; i < STORE_MAX; i++)
        (void)store_add(&s, PHONE, &code_a, "2640:1", "Ok", i);
    assert_non_null(store_find(&s, "+8613900139000"));
    (void)store_add(&s, PHONE, &code_a, "2640:1", "Ok", STORE_MAX);
    assert_int_equal(s.n, STORE_MAX);
    assert_null(store_find(&s, "+8613900139000"));
    assert_int_equal(s.messages->at_us, 1);
    assert_ptr_equal(s.not_pulled, s.messages);
    store_clear(&s);
    assert_null(s.not_pulled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_content_waits_30_seconds),
        cmocka_unit_test(two_messages_a_day_in_china),
        cmocka_unit_test(refused_messages_do_not_count),
        cmocka_unit_test(a_message_is_told_in_full),
        cmocka_unit_test(the_oldest_make_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

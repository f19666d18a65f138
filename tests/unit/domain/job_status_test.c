/* The event says what the contract lists, in its order, and leaves out what is absent. */
#include <string.h>

#include "common/domain/job_status.h"
#include "common/json.h"
#include "tests/check.h"

static void check_event(const struct job_status *s, const char *expected)
{
    size_t len;
    struct json *event = job_status_to_event(s);
    assert_string_equal(json_text(event, &len), expected);
    json_free(event);
}

static void a_full_status_has_every_member(void **state)
{
    const struct job_status s = {
        .job_id = "j-1",
        .phone = "+8613800138000",
        .scene = "login",
        .state = JOB_LIMITED,
        .reason = REASON_PROVIDER_LIMIT,
        .seq = 3,
        .attempt = 2,
        .provider_code = "LimitExceeded.PhoneNumberDailyLimit",
        .serial_no = "2019:538",
        .has_retry_after = true,
        .retry_after = 0,
        .at_us = 1795334400123456,
        .traceparent = "00-a-b-01",
    };
    (void)state;
    check_event(&s, "{\"v\":1,\"job_id\":\"j-1\",\"seq\":3,\"scene\":\"login\","
                    "\"phone\":\"+86138****8000\",\"state\":\"limited\","
                    "\"reason\":\"provider_limit\","
                    "\"provider_code\":\"LimitExceeded.PhoneNumberDailyLimit\","
                    "\"serial_no\":\"2019:538\",\"attempt\":2,\"retry_after\":0,"
                    "\"at\":\"2026-11-22T08:00:00.123Z\"}");
}

static void what_is_absent_is_left_out(void **state)
{
    const struct job_status s = {
        .job_id = "j",
        .phone = "+12345678",
        .scene = "a",
        .state = JOB_EXPIRED,
        .seq = 1,
        .provider_code = "",
        .serial_no = NULL,
        .retry_after = 7,
    };
    (void)state;
    check_event(&s, "{\"v\":1,\"job_id\":\"j\",\"seq\":1,\"scene\":\"a\",\"phone\":\"+****5678\","
                    "\"state\":\"expired\",\"at\":\"1970-01-01T00:00:00.000Z\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_status_has_every_member),
        cmocka_unit_test(what_is_absent_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

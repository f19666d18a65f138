/* Questions for receipts, in front of a server that plays Tencent. */
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/loop.h"
#include "tests/check.h"
#include "tests/unit/client_rig.h"
#include "worker/tencent/receipts_query.h"

#define RECEIPT                                                                                    \
    "{\"PhoneNumber\":\"" PHONE "\",\"SerialNo\":\"s:1\",\"ReportStatus\":\"FAIL\","               \
    "\"Description\":\"MK:0001\"}"
#define LIST(receipts) "{\"Response\":{\"PullSmsSendStatusSet\":[" receipts "]}}"

struct rig {
    struct client_rig base;
    struct receipts_queries *queries;
    struct receipts_provider port;
    /* the server */
    const char *reply; /* NULL: hangs up */
    int status;
    unsigned requests;
    char action[64], app[32], phone[32];
    int64_t limit, begin_s, offset;
    bool has_begin, has_end;
    /* what came */
    unsigned answers;
    size_t n;
    bool full;
    char why[160], serial_no[65], raw[512];
};

static struct rig rig;

static void on_request(void *arg, struct tiny_conn *c, const char *head, const char *body)
{
    struct rig *r = arg;
    struct json *j = json_parse(body, strlen(body), &(struct json_limits){.max_depth = 4}, NULL);
    const char *phone = json_get_text(j, "PhoneNumber");

    r->requests++;
    tiny_header(head, "X-TC-Action", r->action, sizeof(r->action));
    snprintf(r->app, sizeof(r->app), "%s", json_get_text(j, "SmsSdkAppId"));
    snprintf(r->phone, sizeof(r->phone), "%s", phone ? phone : "");
    assert_true(json_int(json_get(j, "Limit"), &r->limit));
    r->has_begin = json_int(json_get(j, "BeginTime"), &r->begin_s);
    r->has_end = json_has(j, "EndTime");
    if (!json_int(json_get(j, "Offset"), &r->offset))
        r->offset = -1;
    json_free(j);
    if (r->reply)
        tiny_conn_reply(c, r->status, PROVIDER_START, r->reply);
    else
        tiny_conn_close(c, false);
}

static void on_answered(void *arg, const struct receipts_answer *a)
{
    struct rig *r = arg;

    r->answers++;
    r->n = a->n;
    r->full = a->full;
    snprintf(r->why, sizeof(r->why), "%s", a->why ? a->why : "");
    if (a->n > 0) {
        snprintf(r->raw, sizeof(r->raw), "%s", a->receipts[0].raw);
        snprintf(r->serial_no, sizeof(r->serial_no), "%s",
                 a->receipts[0].serial_no ? a->receipts[0].serial_no : "");
    }
    loop_stop(r->base.loop);
}

static int start(void **state)
{
    struct rig *r = &rig;
    const struct receipts_provider_handlers h = {.arg = r, .answered = on_answered};

    (void)state;
    *r = (struct rig){.status = 200};
    client_rig_start(&r->base, 60, RECEIPTS_QUERIES_MAX, on_request, r);
    r->queries = receipts_queries_new(r->base.client, &h);
    r->port = receipts_queries_port(r->queries);
    assert_false(r->port.is_ready(r->port.self));
    client_rig_learn(&r->base, PROVIDER_START);
    assert_true(r->port.is_ready(r->port.self));
    return 0;
}

static int end(void **state)
{
    (void)state;
    receipts_queries_free(rig.queries);
    client_rig_end(&rig.base);
    return 0;
}

static void ask(const struct receipts_query *q, const char *reply)
{
    unsigned before = rig.answers;

    rig.reply = reply;
    rig.port.ask(rig.port.self, q);
    assert_int_equal(rig.answers, before); /* never before the call returns */
    loop_run(rig.base.loop);
    assert_int_equal(rig.answers, before + 1);
}

static void the_queue_is_asked_for_an_applications_receipts(void **state)
{
    (void)state;
    ask(&(struct receipts_query){.sdk_app_id = "1400006666"}, LIST(RECEIPT));
    assert_string_equal(rig.action, "PullSmsSendStatus");
    assert_string_equal(rig.app, "1400006666");
    assert_int_equal(rig.limit, RECEIPTS_PAGE_MAX);
    assert_string_equal(rig.phone, "");
    assert_false(rig.has_begin);
    assert_string_equal(rig.why, "");
    assert_int_equal(rig.n, 1);
    assert_false(rig.full);
    assert_string_equal(rig.serial_no, "s:1");
    assert_string_equal(rig.raw, RECEIPT);
    ask(&(struct receipts_query){.sdk_app_id = "1400006667"}, LIST(""));
    assert_string_equal(rig.app, "1400006667");
    assert_int_equal(rig.n, 0);
}

static void a_full_page_says_that_there_may_be_more(void **state)
{
    struct buf body = BUF_INIT;

    (void)state;
    buf_add_text(&body, "{\"Response\":{\"PullSmsSendStatusSet\":[" RECEIPT);
    for (unsigned i = 1; i < RECEIPTS_PAGE_MAX; i++)
        buf_add_text(&body, "," RECEIPT);
    buf_add_text(&body, "]}}");
    ask(&(struct receipts_query){.sdk_app_id = "1"}, buf_text(&body));
    assert_int_equal(rig.n, RECEIPTS_PAGE_MAX);
    assert_true(rig.full);
    buf_free(&body);
}

static void a_number_is_asked_about_from_before_its_acceptance_within_seven_days(void **state)
{
    static const struct {
        int64_t since_s, least, most; /* from PROVIDER_START on */
    } cases[] = {
        {-1000,    -1060,           -1060           },
        {-8000000, -7 * 86400 + 60, -7 * 86400 + 120},
        {8000000,  -30,             30              },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        ask(&(struct receipts_query){.sdk_app_id = "1400006666",
                                     .phone = PHONE,
                                     .since_us = (PROVIDER_START + cases[i].since_s) * US_PER_S},
            LIST(RECEIPT));
        assert_string_equal(rig.action, "PullSmsSendStatusByPhoneNumber");
        assert_string_equal(rig.phone, PHONE);
        assert_int_equal(rig.limit, RECEIPTS_PAGE_MAX);
        assert_int_equal(rig.offset, 0);
        assert_false(rig.has_end);
        assert_in_range(rig.begin_s, PROVIDER_START + cases[i].least,
                        PROVIDER_START + cases[i].most);
        assert_int_equal(rig.n, 1);
    }
}

static void a_refusal_says_its_code(void **state)
{
    (void)state;
    ask(&(struct receipts_query){.sdk_app_id = "1"},
        "{\"Response\":{\"Error\":{\"Code\":\"UnsupportedOperation\",\"Message\":\"\"}}}");
    assert_string_equal(rig.why, "the provider refuses: UnsupportedOperation");
    assert_int_equal(rig.n, 0);
}

static void what_came_in_another_form_is_given_all_the_same(void **state)
{
    (void)state;
    ask(&(struct receipts_query){.sdk_app_id = "1"}, "{\"Response\":{\"Other\":[" RECEIPT "]}}");
    assert_string_equal(rig.why, "the answer has no PullSmsSendStatusSet");
    assert_int_equal(rig.n, 1);
    assert_string_equal(rig.raw, "{\"Response\":{\"Other\":[" RECEIPT "]}}");
    assert_false(rig.full);
}

static void without_an_answer_nothing_is_given_and_nothing_is_asked_twice(void **state)
{
    (void)state;
    ask(&(struct receipts_query){.sdk_app_id = "1"}, LIST(""));
    ask(&(struct receipts_query){.sdk_app_id = "1"}, NULL);
    assert_true(rig.why[0] != '\0');
    assert_int_equal(rig.n, 0);
    assert_int_equal(rig.requests, 2);
    rig.status = 500;
    ask(&(struct receipts_query){.sdk_app_id = "1"}, LIST(RECEIPT));
    assert_true(rig.why[0] != '\0');
    assert_int_equal(rig.n, 0);
}

int main(void)
{
#define RIGGED(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        RIGGED(the_queue_is_asked_for_an_applications_receipts),
        RIGGED(a_full_page_says_that_there_may_be_more),
        RIGGED(a_number_is_asked_about_from_before_its_acceptance_within_seven_days),
        RIGGED(a_refusal_says_its_code),
        RIGGED(what_came_in_another_form_is_given_all_the_same),
        RIGGED(without_an_answer_nothing_is_given_and_nothing_is_asked_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

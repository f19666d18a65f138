/* The sender's requests as the server sees them, the provider's clock, and the probe. */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/crypto/tc3.h"
#include "common/settings/settings.h"
#include "tests/check.h"
#include "tests/unit/sms_fixture.h"
#include "worker/tencent/tencent_sms.h"

static void start(struct fixture *f)
{
    fixture_start(f, &(struct fixture_options){0});
}

/* The request, as the server sees it, must be signed as TC3 says over the bytes on the wire. */
static void check_request(struct fixture *f, struct tiny_conn *c, const char *head,
                          const char *body)
{
    char content_type[64], host[64], timestamp[32], authorization[512], value[128];
    struct buf expected = BUF_INIT;
    struct tc3_signer signer = {0};
    struct tc3_request request = {.service = "sms", .body = body, .body_len = strlen(body)};

    tiny_header(head, "Content-Type", content_type, sizeof(content_type));
    tiny_header(head, "Host", host, sizeof(host));
    tiny_header(head, "X-TC-Timestamp", timestamp, sizeof(timestamp));
    tiny_header(head, "Authorization", authorization, sizeof(authorization));
    request.content_type = content_type;
    request.host = host;
    request.timestamp = strtoll(timestamp, NULL, 10);
    tc3_authorization(&signer, "AKIDTEST", "secret", &request, &expected);
    assert_string_equal(authorization, buf_text(&expected));
    buf_clear(&expected);
    buf_add_fmt(&expected, "127.0.0.1:%d", tiny_server_port(f->server));
    assert_string_equal(host, buf_text(&expected));
    buf_free(&expected);

    assert_memory_equal(head, "POST / HTTP/1.1\r\n", 17);
    tiny_header(head, "X-TC-Version", value, sizeof(value));
    assert_string_equal(value, "2021-01-11");
    tiny_header(head, "X-TC-Region", value, sizeof(value));
    assert_string_equal(value, "ap-guangzhou");
    tiny_header(head, "X-TC-Token", value, sizeof(value));
    assert_string_equal(value, "TOKEN");
    tiny_header(head, "Expect", value, sizeof(value));
    assert_string_equal(value, "");
    assert_string_equal(body, "{\"PhoneNumberSet\":[\"" PHONE "\"],\"SmsSdkAppId\":\"1400006666\","
                              "\"TemplateId\":\"1110\",\"SignName\":\"腾讯云\","
                              "\"TemplateParamSet\":[\"004370\",\"5\"],"
                              "\"SessionContext\":\"job-1\"}");
    /* By the provider's clock, 5 s before it would be refused; the answer may have taken a while.
     */
    assert_in_range(request.timestamp, PROVIDER_DATE - 300 + 5, PROVIDER_DATE - 300 + 5 + 20);
    tiny_conn_reply(c, 200, PROVIDER_DATE, OK_ANSWER);
}

static void requests_are_signed_by_the_providers_clock(void **state)
{
    struct fixture f;

    (void)state;
    fixture_start(&f, &(struct fixture_options){.signature_life = 5, .token = "TOKEN"});
    f.on_send = check_request;
    fixture_send(&f, 1);
    fixture_run(&f, 1);
    assert_true(f.last.accepted);
    fixture_end(&f);
}

static void new_token(struct fixture *f, struct tiny_conn *c, const char *head, const char *body)
{
    char token[32], authorization[256];

    (void)body;
    tiny_header(head, "X-TC-Token", token, sizeof(token));
    tiny_header(head, "Authorization", authorization, sizeof(authorization));
    assert_string_equal(token, f->posts == 1 ? "FIRST" : "SECOND");
    assert_int_equal(strstr(authorization, "Credential=AKIDSECOND/") != NULL, f->posts == 2);
    tiny_conn_reply(c, 200, PROVIDER_DATE, OK_ANSWER);
}

static void new_keys_sign_the_next_request(void **state)
{
    struct settings s = {0};
    char id[] = "AKIDSECOND", key[] = "second", token[] = "SECOND";
    struct fixture f;

    (void)state;
    fixture_start(&f, &(struct fixture_options){.token = "FIRST"});
    f.on_send = new_token;
    fixture_send(&f, 1);
    fixture_run(&f, 1);
    s.secrets.tencent_secret_id = id;
    s.secrets.tencent_secret_key = key;
    s.secrets.tencent_token = token;
    tencent_sms_set_keys(f.sms, &s);
    fixture_send(&f, 1);
    fixture_run(&f, 1);
    assert_int_equal(f.posts, 2);
    fixture_end(&f);
}

static void later_date(struct fixture *f, struct tiny_conn *c, const char *head, const char *body)
{
    char timestamp[32];

    (void)body;
    tiny_header(head, "X-TC-Timestamp", timestamp, sizeof(timestamp));
    if (f->posts == 1) {
        tiny_conn_reply(c, 200, PROVIDER_DATE + 7200, ERROR_ANSWER("AuthFailure.SignatureExpire"));
        return;
    }
    assert_in_range(strtoll(timestamp, NULL, 10), PROVIDER_DATE + 7200 - 285,
                    PROVIDER_DATE + 7200 - 285 + 20);
    tiny_conn_reply(c, 200, PROVIDER_DATE + 7200, OK_ANSWER);
}

static void each_answer_renews_the_providers_clock(void **state)
{
    struct fixture f;

    (void)state;
    start(&f);
    f.on_send = later_date;
    fixture_send(&f, 1);
    fixture_run(&f, 1);
    assert_string_equal(f.last.code, "AuthFailure.SignatureExpire");
    fixture_send(&f, 1);
    fixture_run(&f, 1);
    assert_true(f.last.accepted);
    fixture_end(&f);
}

static unsigned clock_queries;

/* One way after another not to tell the time, then the time in a refusal. */
static void reluctant_clock(struct fixture *f, struct tiny_conn *c, const char *head,
                            const char *body)
{
    (void)f, (void)head, (void)body;
    switch (clock_queries++) {
    case 0:
        tiny_conn_close(c, false);
        break;
    case 1:
        tiny_conn_reply(c, 502, PROVIDER_DATE, "bad gateway");
        break;
    case 2:
        tiny_conn_reply(c, 200, -1, ERROR_ANSWER("AuthFailure.SignatureExpire"));
        break;
    default:
        tiny_conn_reply(c, 200, PROVIDER_DATE, ERROR_ANSWER("AuthFailure.SignatureExpire"));
    }
}

static void the_clock_is_asked_for_until_it_is_told(void **state)
{
    struct fixture f;

    (void)state;
    clock_queries = 0;
    fixture_start(&f, &(struct fixture_options){.on_query = reluctant_clock});
    assert_int_equal(clock_queries, 4);
    fixture_end(&f);
}

static void refuse_query(struct fixture *f, struct tiny_conn *c, const char *head, const char *body)
{
    (void)f, (void)head, (void)body;
    tiny_conn_reply(c, 200, PROVIDER_DATE, ERROR_ANSWER("AuthFailure.SecretIdNotFound"));
}

static void no_json(struct fixture *f, struct tiny_conn *c, const char *head, const char *body)
{
    (void)f, (void)head, (void)body;
    tiny_conn_reply(c, 200, PROVIDER_DATE, "<html>welcome to the captive portal</html>");
}

static void a_probe_says_whether_the_account_is_taken(void **state)
{
    struct fixture f;

    (void)state;
    start(&f);
    f.sender->probe(f.sender->self);
    f.sender->probe(f.sender->self); /* one is under way: answered once */
    fixture_run(&f, 1);
    assert_string_equal(f.probe_why, "");
    f.on_query = refuse_query;
    f.sender->probe(f.sender->self);
    fixture_run(&f, 1);
    assert_string_equal(f.probe_why, "AuthFailure.SecretIdNotFound");
    f.on_query = no_json;
    f.sender->probe(f.sender->self);
    fixture_run(&f, 1);
    assert_int_equal(f.probed, 3);
    assert_true(strlen(f.probe_why) > 0);
    assert_int_equal(f.gate_calls, 0);
    fixture_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_signed_by_the_providers_clock),
        cmocka_unit_test(new_keys_sign_the_next_request),
        cmocka_unit_test(each_answer_renews_the_providers_clock),
        cmocka_unit_test(the_clock_is_asked_for_until_it_is_told),
        cmocka_unit_test(a_probe_says_whether_the_account_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Only a request signed as Tencent demands passes; each fault has Tencent's code. */
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/settings/settings.h"
#include "sandbox/auth.h"
#include "sandbox/problem.h"
#include "tests/check.h"

#define NOW INT64_C(1795520346)
#define JSON_TYPE "application/json; charset=utf-8"

static char secret_id[] = "AKIDexample";
static char secret_key[] = "secretexample";
static char token[] = "tokenexample";
static const char body[] = "{\"PhoneNumberSet\":[]}";

struct auth_case {
    const char *what;
    const char *code; /* NULL: passes */
    int64_t age;      /* of the timestamp, seconds */
    const char *id, *key, *service, *host_signed, *host_sent, *type_sent;
    const char *action_signed; /* NULL: not signed */
};

#define DEFAULT_HOST "sms.tencentcloudapi.com"

static const struct auth_case cases[] = {
    {.what = "as it should be"              },
    {                                                 .what = "the window's edge behind",                             .age = 300},
    {                                                 .what = "the window's edge ahead",                            .age = -300},
    {                                                 .what = "too old",                             .age = 301, .code = "AuthFailure.SignatureExpire"},
    {            .what = "too early",                     .age = -301, .code = "AuthFailure.SignatureExpire"},
    {                          .what = "wrong key",                                       .key = "another", .code = "AuthFailure.SignatureFailure"},
    {                                           .what = "wrong id", .id = "another", .code = "AuthFailure.SecretIdNotFound"},
    {                                                 .what = "other host",
     .host_signed = "cvm.x",
     .host_sent = DEFAULT_HOST,
     .code = "AuthFailure.SignatureFailure"},
    {                                  .what = "other service",                    .service = "cvm", .code = "AuthFailure.SignatureFailure"},
    {                                                                    .what = "other type",  .type_sent = "text/plain", .code = "AuthFailure.SignatureFailure"},
    {                                                  .what = "port not signed",    .host_signed = "h.example", .host_sent = "h.example:8080"},
    {              .what = "port signed",                    .host_signed = "h.example:8080", .host_sent = "h.example:8080"},
    {.what = "IPv6 without port",                                       .host_signed = "[::1]", .host_sent = "[::1]:80"},
    {             .what = "first label on loopback",
     .service = "127",
     .host_signed = "127.0.0.1",
     .host_sent = "127.0.0.1:1"},
    {                                                          .what = "localhost as service",
     .service = "localhost",
     .host_signed = "localhost:1",
     .host_sent = "localhost:1"},
    {        .what = "localhost with port as service",
     .service = "localhost:1",
     .host_signed = "localhost",
     .host_sent = "localhost:1"},
    {                           .what = "first label elsewhere",
     .service = "h",
     .host_signed = "h.example",
     .host_sent = "h.example",
     .code = "AuthFailure.SignatureFailure"},
    {                                          .what = "action signed too",              .action_signed = "sendsms"},
};

static const char *text_or(const char *s, const char *otherwise)
{
    return s ? s : otherwise;
}

static struct settings make_settings(void)
{
    return (struct settings){
        .secrets = {.tencent_secret_id = secret_id, .tencent_secret_key = secret_key}
    };
}

static void each_fault_has_its_code(void **state UNUSED)
{
    struct settings settings = make_settings();
    struct auth auth = {.settings = &settings};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct auth_case *c = &cases[i];
        struct tc3_signer signer = {0};
        struct buf header = BUF_INIT;
        struct problem p = {0};
        char timestamp[24];
        struct tc3_request signed_request = {
            .content_type = JSON_TYPE,
            .host = text_or(c->host_signed, DEFAULT_HOST),
            .service = text_or(c->service, "sms"),
            .action = c->action_signed,
            .body = body,
            .body_len = sizeof body - 1,
            .timestamp = NOW - c->age,
        };
        tc3_authorization(&signer, text_or(c->id, secret_id), text_or(c->key, secret_key),
                          &signed_request, &header);
        snprintf(timestamp, sizeof timestamp, "%lld", (long long)signed_request.timestamp);
        struct auth_request req = {
            .authorization = buf_text(&header),
            .timestamp = timestamp,
            .host = text_or(c->host_sent, text_or(c->host_signed, DEFAULT_HOST)),
            .content_type = text_or(c->type_sent, JSON_TYPE),
            .action = "SendSms",
            .body = body,
            .body_len = sizeof body - 1,
        };
        int rc = auth_check(&auth, &req, NOW, &p);
        if (rc != (c->code ? -1 : 0) || strcmp(p.code, text_or(c->code, "")) != 0)
            fail_msg("%s: %d %s", c->what, rc, p.code);
        buf_free(&header);
    }
}

/* A whole good request, whose parts the tests below spoil. */
struct good {
    struct buf header;
    char timestamp[24];
    struct auth_request req;
};

static void make_good(struct good *g)
{
    struct tc3_signer signer = {0};
    struct tc3_request signed_request = {
        .content_type = JSON_TYPE,
        .host = DEFAULT_HOST,
        .service = "sms",
        .body = body,
        .body_len = sizeof body - 1,
        .timestamp = NOW,
    };
    *g = (struct good){0};
    tc3_authorization(&signer, secret_id, secret_key, &signed_request, &g->header);
    snprintf(g->timestamp, sizeof g->timestamp, "%lld", (long long)NOW);
    g->req = (struct auth_request){
        .authorization = buf_text(&g->header),
        .timestamp = g->timestamp,
        .host = DEFAULT_HOST,
        .content_type = JSON_TYPE,
        .action = "SendSms",
        .body = body,
        .body_len = sizeof body - 1,
    };
}

static void expect_code(const struct settings *settings, const struct auth_request *req,
                        const char *code)
{
    struct auth auth = {.settings = settings};
    struct problem p = {0};
    int rc = auth_check(&auth, req, NOW, &p);
    assert_string_equal(p.code, code);
    assert_int_equal(rc, code[0] ? -1 : 0);
}

static void what_is_missing_or_malformed_is_said(void **state UNUSED)
{
    static const char *const malformed[] = {
        "",
        "Basic abc",
        "TC3-HMAC-SHA256 Credential=a/b/sms/tc3_request",
        "TC3-HMAC-SHA256 Credential=AKIDexample/2026-11-24/sms/tc4_request, "
        "SignedHeaders=content-type;host, Signature=00",
        "TC3-HMAC-SHA256 Credential=AKIDexample/2026-11-24/sms/tc3_request, "
        "SignedHeaders=host, Signature=00",
        "TC3-HMAC-SHA256 Credential=AKIDexample/2026-11-24/sms/tc3_request, "
        "SignedHeaders=content-type;host, Signature=00",
    };
    struct settings settings = make_settings();
    struct good g;
    make_good(&g);
    expect_code(&settings, &g.req, "");
    g.req.authorization = NULL;
    expect_code(&settings, &g.req, "MissingParameter");
    for (size_t i = 0; i < ARRAY_LEN(malformed); i++) {
        g.req.authorization = malformed[i];
        expect_code(&settings, &g.req, "AuthFailure.InvalidAuthorization");
    }
    g.req.authorization = buf_text(&g.header);
    g.req.timestamp = NULL;
    expect_code(&settings, &g.req, "MissingParameter");
    g.req.timestamp = "now";
    expect_code(&settings, &g.req, "InvalidParameter");
    buf_free(&g.header);
}

static void a_changed_body_or_signature_fails(void **state UNUSED)
{
    struct settings settings = make_settings();
    struct good g;
    make_good(&g);
    g.req.body = "{\"PhoneNumberSet\":{}}";
    expect_code(&settings, &g.req, "AuthFailure.SignatureFailure");
    g.req.body = body;
    char *last = &g.header.data[g.header.len - 1];
    *last = *last == '0' ? '1' : '0';
    expect_code(&settings, &g.req, "AuthFailure.SignatureFailure");
    buf_free(&g.header);
}

static void the_day_in_the_scope_must_be_the_timestamps(void **state UNUSED)
{
    struct settings settings = make_settings();
    struct good g;
    make_good(&g);
    char *day = strstr(g.header.data, "2026-11-24");
    assert_non_null(day);
    day[9] = '5';
    expect_code(&settings, &g.req, "AuthFailure.SignatureFailure");
    buf_free(&g.header);
}

static void a_token_must_be_the_accounts(void **state UNUSED)
{
    struct settings settings = make_settings();
    struct good g;
    make_good(&g);
    g.req.token = token;
    expect_code(&settings, &g.req, "AuthFailure.TokenFailure");
    settings.secrets.tencent_token = token;
    expect_code(&settings, &g.req, "");
    g.req.token = "another";
    expect_code(&settings, &g.req, "AuthFailure.TokenFailure");
    g.req.token = NULL;
    expect_code(&settings, &g.req, "AuthFailure.TokenFailure");
    buf_free(&g.header);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_has_its_code),
        cmocka_unit_test(what_is_missing_or_malformed_is_said),
        cmocka_unit_test(a_changed_body_or_signature_fails),
        cmocka_unit_test(the_day_in_the_scope_must_be_the_timestamps),
        cmocka_unit_test(a_token_must_be_the_accounts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

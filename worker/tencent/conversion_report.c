/*
 * One report at a time. What Tencent refuses in the parameters, or for an application that is not
 * the account's, stays refused; all else may pass.
 */
#include "worker/tencent/conversion_report.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/json.h"
#include "common/mem.h"
#include "worker/tencent/envelope.h"
#include "worker/tencent/signed_client.h"

#define ANSWER_MAX 4096

struct conversion_reports {
    struct signed_client *client;
    struct conversions_provider_handlers handlers;
    bool under_way;
    int64_t asked_us;
};

/* Or of its application: the others have their turn at once. */
static bool is_of_this_one(const char *code)
{
    return strncmp(code, "InvalidParameter", strlen("InvalidParameter")) == 0 ||
           strcmp(code, "UnauthorizedOperation.SmsSdkAppIdVerifyFail") == 0;
}

static enum conversion_fate judge(const char *code, char why[160])
{
    snprintf(why, 160, "the provider refuses: %s", code[0] ? code : "an Error without a Code");
    return is_of_this_one(code) ? CONVERSION_REFUSED : CONVERSION_FAILED;
}

enum conversion_fate conversion_answer_read(const char *body, size_t len, char why[160])
{
    struct json *root = NULL;
    const struct json *response = envelope_open(body, len, &root, why);
    enum conversion_fate fate = CONVERSION_FAILED;
    char code[96];

    if (response && envelope_error(response, code))
        fate = judge(code, why);
    else if (response && !envelope_text(json_get(response, "ReportConversionStatus"), "Code",
                                        ENVELOPE_CODE, code, sizeof(code)))
        snprintf(why, 160, "the answer has no ReportConversionStatus with a Code");
    else if (response)
        fate = strcasecmp(code, "ok") == 0 ? CONVERSION_REPORTED : judge(code, why);
    json_free(root);
    return fate;
}

static enum conversion_fate read_answer(struct conversion_reports *r, const struct http_answer *a,
                                        char why[160])
{
    const char *fault = signed_client_fault(a, why);

    if (!fault) {
        signed_client_learn_clock(r->client, a, r->asked_us);
        return conversion_answer_read(a->body, a->body_len, why);
    }
    if (fault != why)
        snprintf(why, 160, "%s", fault);
    return CONVERSION_FAILED;
}

static void on_answer(void *arg, UNUSED uint64_t id, const struct http_answer *a)
{
    struct conversion_reports *r = arg;
    char why[160] = "";
    enum conversion_fate fate = read_answer(r, a, why);

    r->under_way = false;
    r->handlers.told(r->handlers.arg, fate, fate == CONVERSION_REPORTED ? NULL : why);
}

static void tell(void *self, const char *sdk_app_id, const struct conversion *c)
{
    struct conversion_reports *r = self;
    struct json *body = json_new_object();
    struct signed_request request = {
        .action = "X-TC-Action: ReportConversion",
        .max_answer = ANSWER_MAX,
        .done = on_answer,
        .arg = r,
    };

    if (r->under_way)
        panic("more than one conversion is told at once");
    r->under_way = true;
    json_add_text(body, "SmsSdkAppId", sdk_app_id);
    json_add_text(body, "SerialNo", c->serial_no);
    json_add_int(body, "ConversionTime", c->verified_us / US_PER_S);
    request.body = json_text(body, &request.body_len);
    r->asked_us = signed_client_post(r->client, &request);
    json_free(body);
}

static bool is_ready(void *self)
{
    const struct conversion_reports *r = self;

    return signed_client_clock(r->client)->is_known;
}

struct conversion_reports *conversion_reports_new(struct signed_client *client,
                                                  const struct conversions_provider_handlers *h)
{
    struct conversion_reports *r = mem_must_alloc(sizeof(*r));

    r->client = client;
    r->handlers = *h;
    return r;
}

void conversion_reports_free(struct conversion_reports *r)
{
    mem_free(r);
}

struct conversions_provider conversion_reports_port(struct conversion_reports *r)
{
    return (struct conversions_provider){.self = r, .is_ready = is_ready, .tell = tell};
}

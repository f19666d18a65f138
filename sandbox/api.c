/*
 * From an HTTP request to Tencent's answer: the common headers, then the signature, then the
 * parameters, then the action; faults meet only what is signed well. Every answer has a RequestId.
 */
#include "sandbox/api.h"

#include <string.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/httpd.h"
#include "common/json.h"
#include "common/loop.h"
#include "sandbox/call.h"
#include "sandbox/json_out.h"
#include "sandbox/params.h"
#include "sandbox/sandbox.h"

#define API_VERSION "2021-01-11"

static const struct action {
    const char *name;
    action_fn *fn;
} actions[] = {
    {"SendSms",                        send_sms                     },
    {"PullSmsSendStatus",              pull_sms_send_status         },
    {"PullSmsSendStatusByPhoneNumber", pull_sms_send_status_by_phone},
    {"ReportConversion",               report_conversion            },
    {"DescribeSendRecordList",         describe_send_record_list    },
    {"DescribePhoneNumberInfo",        describe_phone_number_info   },
    {"DescribeSmsSignList",            describe_sms_sign_list       },
    {"DescribeSmsTemplateList",        describe_sms_template_list   },
};

static const struct action *find_action(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        if (strcmp(actions[i].name, name) == 0)
            return &actions[i];
    }
    return NULL;
}

bool api_has_action(const char *name)
{
    return find_action(name) != NULL;
}

static void missing(struct problem *p, const char *name)
{
    problem_set(p, "MissingParameter", "The request is missing a required parameter `%s`.", name);
}

static bool is_region(const char *s)
{
    size_t len = strlen(s);
    return len > 3 && len < 40 && strchr(s, '-') &&
           strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

/* The action asked for; NULL with the problem set. */
static const struct action *check_headers(struct http_request *req, struct problem *p)
{
    const char *name = http_header(req, "X-TC-Action");
    const char *version = http_header(req, "X-TC-Version");
    const char *region = http_header(req, "X-TC-Region");
    const struct action *action = name ? find_action(name) : NULL;
    if (strcmp(http_method(req), "POST") != 0)
        problem_set(p, "UnsupportedProtocol", "The sandbox answers POST only.");
    else if (!name || !name[0])
        missing(p, "Action");
    else if (!version || !version[0])
        missing(p, "Version");
    else if (strcmp(version, API_VERSION) != 0)
        problem_set(p, "NoSuchVersion", "The requested version `%.20s` does not exist.", version);
    else if (!action)
        problem_set(p, "InvalidAction",
                    "The request action=`%.60s` is invalid or not found in Product=`sms`, "
                    "Version=`" API_VERSION "`.",
                    name);
    else if (!region || !region[0])
        missing(p, "Region");
    else if (!is_region(region))
        problem_set(p, "UnsupportedRegion", "The region `%.40s` is not supported.", region);
    else
        return action;
    return NULL;
}

static int check_signature(struct sandbox *s, struct http_request *req, struct problem *p)
{
    struct auth_request signed_request = {
        .authorization = http_header(req, "Authorization"),
        .timestamp = http_header(req, "X-TC-Timestamp"),
        .token = http_header(req, "X-TC-Token"),
        .host = http_header(req, "Host"),
        .content_type = http_header(req, "Content-Type"),
        .action = http_header(req, "X-TC-Action"),
    };
    signed_request.body = http_body(req, &signed_request.body_len);
    return auth_check(&s->auth, &signed_request, sandbox_now_us(s) / US_PER_S, p);
}

static struct json *parse_body(struct http_request *req, struct problem *p)
{
    size_t len;
    const char *body = http_body(req, &len);
    struct json *params = json_parse(body, len, &(struct json_limits){.max_depth = 8}, NULL);
    if (params && json_type(params) == JSON_OBJECT)
        return params;
    problem_set(p, "FailedOperation.JsonParseFail", "The body is not a JSON object.");
    json_free(params);
    return NULL;
}

/* The numbers of any action, normalised, for the faults to look at. */
static size_t gather_phones(const struct json *params, struct number numbers[NUMBERS_MAX],
                            const char *phones[NUMBERS_MAX])
{
    const struct json *set = json_get(params, "PhoneNumberSet");
    const char *single = json_get_text(params, "PhoneNumber");
    size_t n = 0;
    if (single && number_from_text(single, &numbers[n]))
        n++;
    for (size_t i = 0; i < json_length(set) && n < NUMBERS_MAX; i++) {
        const char *s = params_at(set, i);
        if (s && number_from_text(s, &numbers[n]))
            n++;
    }
    for (size_t i = 0; i < n; i++)
        phones[i] = numbers[i].e164;
    return n;
}

static const struct fault *pick_fault(struct sandbox *s, const char *action,
                                      const struct json *params)
{
    struct number numbers[NUMBERS_MAX];
    const char *phones[NUMBERS_MAX];
    if (!s->faults.list)
        return NULL;
    size_t n = gather_phones(params, numbers, phones);
    return faults_pick(&s->faults, action, phones, n, loop_now_us(s->loop), &s->dice);
}

static bool fault_is_instead(const struct fault *f)
{
    return !f->accept && f->kind != FAULT_CODE && f->kind != FAULT_DELAY &&
           f->kind != FAULT_TRUNCATE;
}

static int run_action(struct call *c, const struct action *action)
{
    const struct fault *f = c->fault;
    bool is_send = action->fn == send_sms;
    if (f && f->kind == FAULT_CODE && !is_send)
        return problem_set(&c->problem, f->code, "%s", problem_message(f->code));
    /* A send whose fault lets nothing through has no effect; a query has none anyway. */
    if (!(f && is_send && fault_is_instead(f)) && action->fn(c) < 0)
        return -1;
    if (f && f->kind == FAULT_ENVELOPE)
        return problem_set(&c->problem, f->code, "%s", problem_message(f->code));
    if (f && f->kind == FAULT_RATE)
        return problem_set(&c->problem, "RequestLimitExceeded", "%s",
                           problem_message("RequestLimitExceeded"));
    return 0;
}

static void add_error(struct buf *out, const struct problem *p)
{
    buf_add_text(out, "\"Error\":{");
    json_out_member(out, "Code", p->code);
    buf_add_char(out, ',');
    json_out_member(out, "Message", p->message);
    buf_add_char(out, '}');
}

static struct plan make_plan(const struct fault *f)
{
    struct plan plan = {.how = DELIVER_WHOLE, .status = 200};
    if (!f)
        return plan;
    plan.delay_us = f->delay_us;
    if (f->kind == FAULT_DROP)
        plan.how = DELIVER_DROP;
    if (f->kind == FAULT_HANG)
        plan.how = DELIVER_NEVER;
    if (f->kind == FAULT_TRUNCATE) {
        plan.how = DELIVER_CUT;
        plan.cut = (size_t)f->truncate;
    }
    if (f->kind == FAULT_REPLY && f->status > 0)
        plan.status = (int)f->status;
    return plan;
}

static int answer(struct call *c, struct http_request *req)
{
    struct sandbox *s = c->sandbox;
    const struct action *action = check_headers(req, &c->problem);
    if (!action)
        return -1;
    c->action = action->name;
    if (check_signature(s, req, &c->problem) < 0)
        return -1;
    struct json *params = parse_body(req, &c->problem);
    if (!params)
        return -1;
    c->params = params;
    c->fault = pick_fault(s, action->name, params);
    int rc = run_action(c, action);
    c->params = NULL;
    json_free(params);
    if (rc == 0 && action->fn != send_sms)
        stats_count(&s->stats, action->name, "Ok");
    return rc;
}

void api_on_request(void *arg, struct http_request *req)
{
    static const char head[] = "{\"Response\":{";
    struct sandbox *s = arg;
    struct call c = {.sandbox = s, .action = "other", .out = &s->scratch};
    char request_id[REQUEST_ID_SIZE];
    if (strcmp(http_path(req), "/") != 0) {
        http_reply(req, 404, "text/plain", "Tencent's API has one path: /\n", 30);
        return;
    }
    buf_clear(c.out);
    buf_add(c.out, head, sizeof head - 1);
    if (answer(&c, req) < 0) {
        buf_clear(c.out);
        buf_add(c.out, head, sizeof head - 1);
        add_error(c.out, &c.problem);
        stats_count(&s->stats, c.action, c.problem.code);
    }
    dice_request_id(&s->dice, request_id);
    buf_add_char(c.out, ',');
    json_out_member(c.out, "RequestId", request_id);
    buf_add(c.out, "}}", 2);
    if (c.fault && c.fault->kind == FAULT_REPLY) {
        buf_clear(c.out);
        buf_add_text(c.out, c.fault->body ? c.fault->body : "");
    }
    struct plan plan = make_plan(c.fault);
    answers_give(&s->answers, req, &plan, c.out, c.accepted);
}

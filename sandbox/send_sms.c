/*
 * SendSms: what is wrong with the whole request is an error of the envelope, everything else a
 * code for each number. An accepted number has a SerialNo, a fee and a line in the ledger.
 */
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/text.h"
#include "sandbox/call.h"
#include "sandbox/json_out.h"
#include "sandbox/limits.h"
#include "sandbox/params.h"
#include "sandbox/sandbox.h"

#define CONTEXT_MAX 511    /* bytes */
#define PARAM_DIGITS_MAX 6 /* of a value in a verification code's template */
#define SEGMENT_SINGLE 70  /* characters */
#define SEGMENT_JOINED 67

static const struct param_rule rules[] = {
    {"PhoneNumberSet",   PARAM_TEXTS, true },
    {"SmsSdkAppId",      PARAM_TEXT,  true },
    {"TemplateId",       PARAM_TEXT,  true },
    {"SignName",         PARAM_TEXT,  false},
    {"TemplateParamSet", PARAM_TEXTS, false},
    {"ExtendCode",       PARAM_TEXT,  false},
    {"SessionContext",   PARAM_TEXT,  false},
    {"SenderId",         PARAM_TEXT,  false},
};

/* A request's content, judged once: code is "Ok" or what every number of it gets. */
struct shipment {
    struct message_content content;
    bool sign_known;
    const char *code;
    int fee; /* messages billed for each number */
};

static int check_envelope(struct call *c, const struct json *phones)
{
    const char *app_id = params_text(c->params, "SmsSdkAppId");
    size_t mainland = 0;
    size_t valid = 0;
    if (params_check_phones(phones, &c->problem) < 0 ||
        world_check_app(&c->sandbox->world, app_id, &c->problem) < 0)
        return -1;
    if (strlen(params_text(c->params, "SessionContext")) > CONTEXT_MAX)
        return problem_set(&c->problem, "InvalidParameterValue",
                           "The value of parameter `SessionContext` is longer than %d bytes.",
                           CONTEXT_MAX);
    for (size_t i = 0; i < json_length(phones); i++) {
        struct number number;
        if (!number_from_text(params_at(phones, i), &number))
            continue;
        valid++;
        mainland += number.mainland ? 1 : 0;
    }
    if (mainland > 0 && mainland < valid)
        return problem_set(&c->problem,
                           "UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber",
                           "Mainland and other numbers may not be mixed in one request.");
    return 0;
}

static bool values_are_digits(const struct message_content *content)
{
    for (size_t i = 0; i < content->n_params; i++) {
        size_t len = strlen(content->params[i]);
        if (len > PARAM_DIGITS_MAX || strspn(content->params[i], "0123456789") != len)
            return false;
    }
    return true;
}

static const char *judge_template(const struct world *w, const struct message_content *content,
                                  size_t n_given)
{
    long n = world_template_params(w, content->template_id, n_given);
    if (n < 0)
        return "FailedOperation.TemplateIncorrectOrUnapproved";
    if ((size_t)n != n_given || n_given > MESSAGE_PARAMS_MAX)
        return "FailedOperation.TemplateParamSetNotMatchApprovedTemplate";
    if (!values_are_digits(content))
        return "InvalidParameterValue.TemplateParameterFormatError";
    return "Ok";
}

static int count_fee(const struct message_content *content)
{
    struct buf text = BUF_INIT;
    int characters = content->sign_name[0] ? 2 : 0; /* 【】 */
    buf_add_text(&text, content->sign_name);
    world_add_text(&text, content->params, content->n_params);
    characters += (int)text_utf8_length(buf_text(&text));
    buf_free(&text);
    return characters <= SEGMENT_SINGLE ? 1 : (characters + SEGMENT_JOINED - 1) / SEGMENT_JOINED;
}

static struct shipment read_shipment(const struct call *c)
{
    const struct json *values = json_get(c->params, "TemplateParamSet");
    struct shipment s = {
        .content =
            {
                      .template_id = params_text(c->params, "TemplateId"),
                      .sign_name = params_text(c->params, "SignName"),
                      .session_context = params_text(c->params, "SessionContext"),
                      .app_id = params_text(c->params, "SmsSdkAppId"),
                      .n_params = MIN(json_length(values), MESSAGE_PARAMS_MAX),
                      },
    };
    for (size_t i = 0; i < s.content.n_params; i++)
        s.content.params[i] = params_at(values, i);
    s.sign_known = world_has_sign(&c->sandbox->world, s.content.sign_name);
    s.code = judge_template(&c->sandbox->world, &s.content, json_length(values));
    s.fee = count_fee(&s.content);
    return s;
}

static const char *judge(const struct call *c, const struct shipment *s, const struct number *n)
{
    const struct sandbox *sandbox = c->sandbox;
    if ((n->mainland || s->content.sign_name[0]) && !s->sign_known)
        return "FailedOperation.SignatureIncorrectOrUnapproved";
    if (strcmp(s->code, "Ok") != 0)
        return s->code;
    if (sandbox->options.number_limits)
        return limits_judge(&sandbox->store, n->e164, &s->content, sandbox_now_us(sandbox));
    return "Ok";
}

/* Ambiguous codes leave no record: whoever looks for the message finds nothing. */
static bool is_recorded(const char *code)
{
    return strncmp(code, "InternalError", 13) != 0;
}

static void add_status(struct call *c, const char *phone, const char *serial_no, int fee,
                       const char *context, const char *code, const char *iso_code)
{
    struct buf *out = c->out;
    stats_count(&c->sandbox->stats, c->action, code);
    buf_add_char(out, '{');
    json_out_member(out, "SerialNo", serial_no);
    buf_add_char(out, ',');
    json_out_member(out, "PhoneNumber", phone);
    buf_add_char(out, ',');
    json_out_int(out, "Fee", fee);
    buf_add_char(out, ',');
    json_out_member(out, "SessionContext", context);
    buf_add_char(out, ',');
    json_out_member(out, "Code", code);
    buf_add_char(out, ',');
    json_out_member(out, "Message", problem_message(code));
    buf_add_char(out, ',');
    json_out_member(out, "IsoCode", iso_code);
    buf_add_char(out, '}');
}

/* What a fault makes of a number that is fine; *accept says whether the SMS goes out. */
static const char *apply_fault(const struct call *c, const char *e164, bool *accept)
{
    const struct fault *f = c->fault;
    *accept = true;
    if (!f || !fault_meets_phone(f, e164))
        return "Ok";
    *accept = f->accept;
    if (f->kind == FAULT_CODE)
        return f->code;
    return f->accept ? "Ok" : "InternalError.Timeout";
}

static void send_one(struct call *c, const struct shipment *s, const char *phone)
{
    struct sandbox *sandbox = c->sandbox;
    const char *context = s->content.session_context;
    struct number number;
    if (!number_from_text(phone, &number)) {
        add_status(c, phone, "", 0, context, "InvalidParameterValue.IncorrectPhoneNumber", "");
        return;
    }
    const char *code = judge(c, s, &number);
    bool accept = false;
    if (strcmp(code, "Ok") == 0)
        code = apply_fault(c, number.e164, &accept);
    char serial_no[SERIAL_NO_SIZE] = "";
    if (accept) {
        dice_serial_no(&sandbox->dice, serial_no);
        const struct message *m = store_add(&sandbox->store, number.e164, &s->content, serial_no,
                                            "Ok", sandbox_now_us(sandbox));
        ledger_add(&sandbox->ledger, m);
        c->accepted = true;
    } else if (is_recorded(code)) {
        (void)store_add(&sandbox->store, number.e164, &s->content, "", code,
                        sandbox_now_us(sandbox));
    }
    bool ok = strcmp(code, "Ok") == 0;
    add_status(c, number.e164, ok ? serial_no : "", ok ? s->fee : 0, context, code,
               number.iso_code);
}

int send_sms(struct call *c)
{
    const struct json *phones = json_get(c->params, "PhoneNumberSet");
    if (params_check(c->params, rules, ARRAY_LEN(rules), &c->problem) < 0 ||
        check_envelope(c, phones) < 0)
        return -1;
    struct shipment s = read_shipment(c);
    buf_add_text(c->out, "\"SendStatusSet\":[");
    for (size_t i = 0; i < json_length(phones); i++) {
        if (i > 0)
            buf_add_char(c->out, ',');
        send_one(c, &s, params_at(phones, i));
    }
    buf_add_char(c->out, ']');
    return 0;
}

/* What a preflight asks: how a number is understood, which signs and templates exist. */
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/text.h"
#include "sandbox/call.h"
#include "sandbox/json_out.h"
#include "sandbox/params.h"
#include "sandbox/sandbox.h"

#define LIMIT_MAX 100
#define SIGN_LIMIT_DEFAULT 10
#define FIRST_SIGN_ID 500001
#define QUALIFICATION_PASSED 1

static const struct param_rule info_rules[] = {
    {"PhoneNumberSet", PARAM_TEXTS, true},
};

static const struct param_rule sign_rules[] = {
    {"International", PARAM_INT,  true },
    {"SignIdSet",     PARAM_INTS, false},
    {"Limit",         PARAM_INT,  false},
    {"Offset",        PARAM_INT,  false},
};

static const struct param_rule template_rules[] = {
    {"International", PARAM_INT,  true },
    {"TemplateIdSet", PARAM_INTS, false},
    {"Limit",         PARAM_INT,  false},
    {"Offset",        PARAM_INT,  false},
};

static void add_number_info(const char *given, struct buf *out)
{
    struct number number;
    bool ok = number_from_text(given, &number);
    char nation[NUMBER_SIZE] = "";
    if (ok)
        memcpy(nation, number.e164 + 1, number.nation_digits);
    buf_add_char(out, '{');
    json_out_member(out, "Code", ok ? "Ok" : "FailedOperation.PhoneNumberParseFail");
    buf_add_char(out, ',');
    json_out_member(out, "Message",
                    ok ? "get phone info success" : "the phone number cannot be parsed");
    buf_add_char(out, ',');
    json_out_member(out, "NationCode", nation);
    buf_add_char(out, ',');
    json_out_member(out, "SubscriberNumber", ok ? number.e164 + 1 + number.nation_digits : "");
    buf_add_char(out, ',');
    json_out_member(out, "PhoneNumber", ok ? number.e164 : given);
    buf_add_char(out, ',');
    json_out_member(out, "IsoCode", ok ? number.iso_code : "DEF");
    buf_add_char(out, ',');
    json_out_member(out, "IsoName", ok ? number.iso_name : "");
    buf_add_char(out, '}');
}

int describe_phone_number_info(struct call *c)
{
    const struct json *set = json_get(c->params, "PhoneNumberSet");
    if (params_check(c->params, info_rules, ARRAY_LEN(info_rules), &c->problem) < 0 ||
        params_check_phones(set, &c->problem) < 0)
        return -1;
    buf_add_text(c->out, "\"PhoneNumberInfoSet\":[");
    for (size_t i = 0; i < json_length(set); i++) {
        if (i > 0)
            buf_add_char(c->out, ',');
        add_number_info(params_at(set, i), c->out);
    }
    buf_add_char(c->out, ']');
    return 0;
}

/* What a list query asks for: either some ids or a page. */
struct selection {
    const struct json *ids; /* of length 0: a page */
    int64_t offset, limit;
    int64_t passed; /* entries before this one */
};

static int read_selection(struct call *c, const char *ids, int64_t limit_default,
                          struct selection *s)
{
    int64_t international = params_int(c->params, "International", 0);
    *s = (struct selection){
        .ids = json_get(c->params, ids),
        .offset = params_int(c->params, "Offset", 0),
        .limit = params_int(c->params, "Limit", limit_default),
    };
    if (international != 0 && international != 1)
        return problem_set(&c->problem, "InvalidParameterValue.InvalidInternational",
                           "International must be 0 or 1.");
    if (s->offset < 0)
        return problem_set(&c->problem, "InvalidParameterValue.OffsetVerifyFail",
                           "Offset must be 0 or more.");
    if (s->limit < 0 || s->limit > LIMIT_MAX || json_length(s->ids) > LIMIT_MAX)
        return problem_set(&c->problem, "InvalidParameterValue.LimitVerifyFail",
                           "Limit, and the number of ids, must be from 0 to %d.", LIMIT_MAX);
    /* The sandbox's signs and templates are domestic ones. */
    if (international == 1)
        s->limit = 0;
    return 0;
}

static bool is_selected(struct selection *s, int64_t id)
{
    if (json_length(s->ids) == 0) {
        int64_t at = s->passed++;
        return at >= s->offset && at - s->offset < s->limit;
    }
    for (size_t i = 0; i < json_length(s->ids); i++) {
        int64_t asked;
        if (json_int(json_at(s->ids, i), &asked) && asked == id)
            return true;
    }
    return false;
}

static void add_common(struct buf *out, const char *id_name, int64_t id)
{
    buf_add_char(out, '{');
    json_out_int(out, id_name, id);
    buf_add_text(out, ",\"International\":0,\"StatusCode\":0,\"ReviewReply\":\"\","
                      "\"CreateTime\":1700000000,");
}

int describe_sms_sign_list(struct call *c)
{
    const struct world *w = &c->sandbox->world;
    struct selection s;
    bool first = true;
    if (params_check(c->params, sign_rules, ARRAY_LEN(sign_rules), &c->problem) < 0 ||
        read_selection(c, "SignIdSet", SIGN_LIMIT_DEFAULT, &s) < 0)
        return -1;
    buf_add_text(c->out, "\"DescribeSignListStatusSet\":[");
    for (size_t i = 0; i < w->n_signs; i++) {
        int64_t id = FIRST_SIGN_ID + (int64_t)i;
        if (!is_selected(&s, id))
            continue;
        if (!first)
            buf_add_char(c->out, ',');
        first = false;
        add_common(c->out, "SignId", id);
        json_out_member(c->out, "SignName", w->signs[i]);
        buf_add_text(c->out, ",\"QualificationId\":1,\"QualificationName\":\"sandbox\",");
        json_out_int(c->out, "QualificationStatusCode", QUALIFICATION_PASSED);
        buf_add_char(c->out, '}');
    }
    buf_add_char(c->out, ']');
    return 0;
}

int describe_sms_template_list(struct call *c)
{
    const struct world *w = &c->sandbox->world;
    struct selection s;
    bool first = true;
    if (params_check(c->params, template_rules, ARRAY_LEN(template_rules), &c->problem) < 0 ||
        read_selection(c, "TemplateIdSet", 0, &s) < 0)
        return -1;
    buf_add_text(c->out, "\"DescribeTemplateStatusSet\":[");
    for (size_t i = 0; i < w->n_templates; i++) {
        struct buf text = BUF_INIT;
        int64_t id;
        /* Tencent's template ids are numbers; another kind cannot be listed. */
        if (!text_to_int(w->templates[i].id, 0, INT64_MAX, &id) || !is_selected(&s, id))
            continue;
        if (!first)
            buf_add_char(c->out, ',');
        first = false;
        add_common(c->out, "TemplateId", id);
        json_out_member(c->out, "TemplateName", "sandbox");
        buf_add_char(c->out, ',');
        world_add_template(&text, w->templates[i].n_params);
        json_out_member(c->out, "TemplateContent", buf_text(&text));
        buf_free(&text);
        buf_add_char(c->out, '}');
    }
    buf_add_char(c->out, ']');
    return 0;
}

/*
 * Receipts to be asked for: each accepted message is delivered a second after it was accepted,
 * unless POST /receipts says something else of it. PullSmsSendStatus hands each out once; by number
 * they can be asked for again.
 */
#include <string.h>

#include "common/buf.h"
#include "common/text.h"
#include "sandbox/call.h"
#include "sandbox/json_out.h"
#include "sandbox/params.h"
#include "sandbox/query.h"
#include "sandbox/sandbox.h"

#define LIMIT_MAX 100
#define REACH_S 604800 /* 7 days */

static const struct param_rule pull_rules[] = {
    {"Limit",       PARAM_INT,  true},
    {"SmsSdkAppId", PARAM_TEXT, true},
};

static const struct param_rule phone_rules[] = {
    {"BeginTime",   PARAM_INT,  true },
    {"Offset",      PARAM_INT,  true },
    {"Limit",       PARAM_INT,  true },
    {"PhoneNumber", PARAM_TEXT, true },
    {"SmsSdkAppId", PARAM_TEXT, true },
    {"EndTime",     PARAM_INT,  false},
};

static void add_receipt(const struct message *m, struct buf *out)
{
    struct number number;
    if (!number_from_text(m->of->phone, &number))
        return;
    char nation[NUMBER_SIZE] = "";
    memcpy(nation, number.e164 + 1, number.nation_digits);
    buf_add_char(out, '{');
    json_out_int(out, "UserReceiveTime", m->outcome.at_us / US_PER_S);
    buf_add_char(out, ',');
    json_out_member(out, "CountryCode", nation);
    buf_add_char(out, ',');
    json_out_member(out, "SubscriberNumber", number.e164 + 1 + number.nation_digits);
    buf_add_char(out, ',');
    json_out_member(out, "PhoneNumber", number.e164);
    buf_add_char(out, ',');
    json_out_member(out, "SerialNo", m->serial_no);
    buf_add_char(out, ',');
    json_out_member(out, "ReportStatus", message_report_status(m));
    buf_add_char(out, ',');
    json_out_member(out, "Description", message_carrier_code(m));
    buf_add_text(out, ",\"SessionContext\":\"\"}");
}

int pull_sms_send_status(struct call *c)
{
    struct store *store = &c->sandbox->store;
    int64_t now_us = sandbox_now_us(c->sandbox);
    int64_t n = 0;
    if (params_check(c->params, pull_rules, ARRAY_LEN(pull_rules), &c->problem) < 0 ||
        world_check_app(&c->sandbox->world, params_text(c->params, "SmsSdkAppId"), &c->problem) < 0)
        return -1;
    int64_t limit = params_int(c->params, "Limit", 0);
    if (limit < 0 || limit > LIMIT_MAX)
        return problem_set(&c->problem, "InvalidParameterValue.LimitVerifyFail",
                           "Limit must be from 0 to %d.", LIMIT_MAX);
    buf_add_text(c->out, "\"PullSmsSendStatusSet\":[");
    struct message *m = store->not_pulled;
    for (; m && n < limit && m->outcome.at_us <= now_us; m = m->next) {
        if (!message_is_accepted(m))
            continue;
        if (n++ > 0)
            buf_add_char(c->out, ',');
        add_receipt(m, c->out);
        m->reported = true;
    }
    store->not_pulled = m;
    buf_add_char(c->out, ']');
    return 0;
}

int pull_sms_send_status_by_phone(struct call *c)
{
    struct query q;
    int64_t now_us = sandbox_now_us(c->sandbox);
    int64_t met = 0;
    int64_t n = 0;
    if (params_check(c->params, phone_rules, ARRAY_LEN(phone_rules), &c->problem) < 0 ||
        query_read(c, &(struct query_bounds){REACH_S, LIMIT_MAX, 0}, &q) < 0)
        return -1;
    buf_add_text(c->out, "\"PullSmsSendStatusSet\":[");
    for (const struct message *m = query_newest(c->sandbox, &q); m; m = query_before(m)) {
        if (!message_is_accepted(m) || m->outcome.at_us > now_us || !query_has_time(&q, m))
            continue;
        if (met++ < q.offset || n >= q.limit)
            continue;
        if (n++ > 0)
            buf_add_char(c->out, ',');
        add_receipt(m, c->out);
    }
    buf_add_char(c->out, ']');
    return 0;
}

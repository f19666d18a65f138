/*
 * DescribeSendRecordList: accepted and refused messages of a number, the newest first,
 * --record-lag seconds late.
 */
#include <string.h>

#include "common/buf.h"
#include "sandbox/call.h"
#include "sandbox/json_out.h"
#include "sandbox/params.h"
#include "sandbox/query.h"
#include "sandbox/sandbox.h"

#define LIMIT_MAX 50
#define LIMIT_DEFAULT 20
#define RECORDS_MAX 1000 /* that one query's pages reach */
#define REACH_S 259200   /* 72 h */

enum send_status {
    SEND_SUBMIT_FAILED = 1,
    SEND_DELIVERED = 2,
    SEND_IN_FLIGHT = 3,
    SEND_FAILED = 4
};

static const struct param_rule rules[] = {
    {"PhoneNumber", PARAM_TEXT, true },
    {"SmsSdkAppId", PARAM_TEXT, true },
    {"BeginTime",   PARAM_INT,  true },
    {"EndTime",     PARAM_INT,  false},
    {"Limit",       PARAM_INT,  false},
    {"Offset",      PARAM_INT,  false},
};

/* Values are masked, as Tencent masks them: a record must not give the code away. */
static void add_masked_content(const struct message *m, struct buf *out)
{
    struct message masked = *m;
    struct buf text = BUF_INIT;
    for (size_t i = 0; i < masked.content.n_params; i++)
        masked.content.params[i] = "***";
    message_add_text(&masked, &text);
    json_out_member(out, "Content", buf_text(&text));
    buf_free(&text);
}

static void add_record(const struct message *m, const struct number *number, int64_t now_us,
                       struct buf *out)
{
    bool accepted = message_is_accepted(m);
    bool decided = accepted && m->outcome.at_us <= now_us;
    enum send_status status = !accepted           ? SEND_SUBMIT_FAILED
                              : !decided          ? SEND_IN_FLIGHT
                              : m->outcome.failed ? SEND_FAILED
                                                  : SEND_DELIVERED;
    buf_add_char(out, '{');
    json_out_member(out, "SerialNo", m->serial_no);
    buf_add_char(out, ',');
    json_out_member(out, "PhoneNumber", m->of->phone);
    buf_add_char(out, ',');
    json_out_int(out, "SendStatus", status);
    buf_add_char(out, ',');
    json_out_member(out, "RequestCode", m->code);
    buf_add_char(out, ',');
    json_out_member(out, "StatusCode", decided ? message_carrier_code(m) : "");
    buf_add_char(out, ',');
    json_out_member(out, "IsoCode", number->iso_code);
    buf_add_char(out, ',');
    add_masked_content(m, out);
    buf_add_char(out, ',');
    json_out_int(out, "SendTime", m->at_us / US_PER_S);
    buf_add_char(out, ',');
    json_out_int(out, "UserReceiveTime", decided ? m->outcome.at_us / US_PER_S : 0);
    buf_add_char(out, '}');
}

static int check_page(struct call *c, struct query *q)
{
    if (q->end_s > sandbox_now_us(c->sandbox) / US_PER_S)
        return problem_set(&c->problem, "InvalidParameterValue.EndTimeVerifyFail",
                           "EndTime must not lie in the future.");
    if (q->offset > RECORDS_MAX)
        return problem_set(&c->problem, "InvalidParameterValue.OffsetVerifyFail",
                           "Offset must be from 0 to %d.", RECORDS_MAX);
    if (q->limit == 0)
        return problem_set(&c->problem, "InvalidParameterValue.LimitVerifyFail",
                           "Limit must be from 1 to %d.", LIMIT_MAX);
    return 0;
}

int describe_send_record_list(struct call *c)
{
    struct query q;
    int64_t now_us = sandbox_now_us(c->sandbox);
    int64_t shown_until_us = now_us - c->sandbox->options.record_lag_s * US_PER_S;
    int64_t met = 0;
    int64_t n = 0;
    if (params_check(c->params, rules, ARRAY_LEN(rules), &c->problem) < 0 ||
        query_read(c, &(struct query_bounds){REACH_S, LIMIT_MAX, LIMIT_DEFAULT}, &q) < 0 ||
        check_page(c, &q) < 0)
        return -1;
    buf_add_text(c->out, "\"SendRecordSet\":[");
    for (const struct message *m = query_newest(c->sandbox, &q); m && met < RECORDS_MAX;
         m = query_before(m)) {
        if (m->at_us > shown_until_us || !query_has_time(&q, m))
            continue;
        if (met++ < q.offset || n >= q.limit)
            continue;
        if (n++ > 0)
            buf_add_char(c->out, ',');
        add_record(m, &q.number, now_us, c->out);
    }
    buf_add_text(c->out, "],");
    json_out_int(c->out, "TotalCount", met);
    return 0;
}

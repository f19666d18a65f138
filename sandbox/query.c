/* Reads the parameters that PullSmsSendStatusByPhoneNumber and DescribeSendRecordList share. */
#include "sandbox/query.h"

#include "sandbox/call.h"
#include "sandbox/params.h"
#include "sandbox/sandbox.h"

int query_read(struct call *c, const struct query_bounds *bounds, struct query *q)
{
    struct problem *p = &c->problem;
    int64_t now_s = sandbox_now_us(c->sandbox) / US_PER_S;
    *q = (struct query){
        .begin_s = params_int(c->params, "BeginTime", 0),
        .end_s = params_int(c->params, "EndTime", now_s),
        .offset = params_int(c->params, "Offset", 0),
        .limit = params_int(c->params, "Limit", bounds->limit_default),
    };
    if (world_check_app(&c->sandbox->world, params_text(c->params, "SmsSdkAppId"), p) < 0)
        return -1;
    if (!number_from_text(params_text(c->params, "PhoneNumber"), &q->number))
        return problem_set(p, "InvalidParameterValue.IncorrectPhoneNumber",
                           "The phone number is incorrect.");
    if (q->begin_s < now_s - bounds->reach_s || q->begin_s > now_s)
        return problem_set(p, "InvalidParameterValue.BeginTimeVerifyFail",
                           "BeginTime must lie within the last %lld hours.",
                           (long long)(bounds->reach_s / 3600));
    if (q->end_s < q->begin_s)
        return problem_set(p, "InvalidParameterValue.EndTimeVerifyFail",
                           "EndTime must not lie before BeginTime.");
    if (q->offset < 0)
        return problem_set(p, "InvalidParameterValue.OffsetVerifyFail",
                           "Offset must be 0 or more.");
    if (q->limit < 0 || q->limit > bounds->limit_max)
        return problem_set(p, "InvalidParameterValue.LimitVerifyFail",
                           "Limit must be from 0 to %lld.", (long long)bounds->limit_max);
    return 0;
}

const struct message *query_newest(const struct sandbox *s, const struct query *q)
{
    const struct phone_messages *of = store_find(&s->store, q->number.e164);
    return of ? of->messages->phone_prev : NULL;
}

const struct message *query_before(const struct message *m)
{
    return m == m->of->messages ? NULL : m->phone_prev;
}

bool query_has_time(const struct query *q, const struct message *m)
{
    int64_t at_s = m->at_us / US_PER_S;
    return at_s >= q->begin_s && at_s <= q->end_s;
}

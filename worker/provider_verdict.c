/*
 * The failure policy. Without positive confirmation the verdict is in doubt: no answer, another
 * HTTP status than 200, codes behind which the message may be out all the same, unknown codes of
 * unknown families.
 */
#include "worker/provider_verdict.h"

#include <string.h>

#include "worker/ports/sender.h"

struct rule {
    const char *code;
    enum verdict verdict;
    enum fault_scope scope;
    int32_t retry_after; /* seconds; 0: not known */
    bool ambiguous;      /* the message may be out all the same */
    bool is_prefix;
    const char *remedy; /* of a CONFIG fault; NULL: see docs/OPERATIONS.md */
};

static const struct rule rules[] = {
#include "provider_verdict_table.inc"
};

static const struct rule *find_exact(const char *code, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        if (!rules[i].is_prefix && strncmp(rules[i].code, code, len) == 0 && !rules[i].code[len])
            return &rules[i];
    return NULL;
}

static const struct rule *find_prefix(const char *code)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        if (rules[i].is_prefix && strncmp(rules[i].code, code, strlen(rules[i].code)) == 0)
            return &rules[i];
    return NULL;
}

/* The code's own rule, else one for its beginning, else that of its family; NULL: none. */
static const struct rule *find_rule(const char *code)
{
    const struct rule *rule = find_exact(code, strlen(code));

    if (!rule)
        rule = find_prefix(code);
    if (!rule)
        rule = find_exact(code, strcspn(code, "."));
    return rule;
}

static enum job_reason reason_of(enum verdict v)
{
    switch (v) {
    case VERDICT_REJECT_NUMBER:
        return REASON_NUMBER;
    case VERDICT_REJECT_CONTENT:
        return REASON_CONTENT;
    case VERDICT_REJECT_QUOTA:
        return REASON_PROVIDER_LIMIT;
    case VERDICT_CONFIG:
        return REASON_CONFIGURATION;
    case VERDICT_BUG:
        return REASON_FORMAT;
    case VERDICT_ACCEPTED:
    case VERDICT_NOT_SENT:
    case VERDICT_RETRY:
    case VERDICT_THROTTLE:
    case VERDICT_IN_DOUBT:
        break;
    }
    return REASON_NONE;
}

static struct provider_verdict plain(enum verdict v)
{
    return (struct provider_verdict){.verdict = v, .reason = reason_of(v)};
}

static bool is_refusal_for_time(const char *code)
{
    return strcmp(code, "AuthFailure.SignatureExpire") == 0 ||
           strcmp(code, "InternalError.RequestTimeException") == 0;
}

/* Certainly not sent. Late it is the lease at work; sooner a clock is wrong (DESIGN.md section 5).
 */
static struct provider_verdict judge_time(const struct verdict_input *in)
{
    bool soon = in->result->signature_age_us <= in->signature_life_us;
    struct provider_verdict v = plain(soon && in->resigned ? VERDICT_CONFIG : VERDICT_RETRY);

    v.of_clock = true;
    v.sign_again = soon && !in->resigned;
    v.remedy = "set signature_life = 300 in [tencent], or mend the clocks";
    return v;
}

static struct provider_verdict judge_code(const char *code)
{
    const struct rule *rule = find_rule(code);
    struct provider_verdict v;

    if (!rule || rule->ambiguous)
        return plain(VERDICT_IN_DOUBT);
    v = plain(rule->verdict);
    v.scope = rule->scope;
    v.remedy = rule->remedy;
    v.has_retry_after = rule->retry_after > 0;
    v.retry_after = rule->retry_after;
    return v;
}

struct provider_verdict provider_verdict(const struct verdict_input *in)
{
    const struct send_result *r = in->result;

    switch (r->transport) {
    case SEND_NOT_SENT:
        return plain(VERDICT_NOT_SENT);
    case SEND_NO_ANSWER:
        return plain(VERDICT_IN_DOUBT);
    case SEND_ANSWERED:
        break;
    }
    if (r->http_status != 200)
        return plain(VERDICT_IN_DOUBT);
    if (r->accepted)
        return plain(VERDICT_ACCEPTED);
    if (is_refusal_for_time(r->code))
        return judge_time(in);
    return judge_code(r->code);
}

static enum job_state state_of_refusal(enum verdict v)
{
    switch (v) {
    case VERDICT_RETRY:
    case VERDICT_THROTTLE:
    case VERDICT_CONFIG:
        return JOB_RETRY;
    case VERDICT_REJECT_NUMBER:
    case VERDICT_REJECT_CONTENT:
    case VERDICT_BUG:
        return JOB_REJECTED;
    case VERDICT_REJECT_QUOTA:
        return JOB_LIMITED;
    case VERDICT_IN_DOUBT:
    case VERDICT_ACCEPTED:
    case VERDICT_NOT_SENT:
        break;
    }
    return JOB_IN_DOUBT;
}

struct code_meaning provider_code_meaning(const char *code)
{
    struct provider_verdict v = is_refusal_for_time(code) ? plain(VERDICT_RETRY) : judge_code(code);

    return (struct code_meaning){.state = state_of_refusal(v.verdict), .reason = v.reason};
}

const char *verdict_to_text(enum verdict v)
{
    switch (v) {
    case VERDICT_ACCEPTED:
        return "accepted";
    case VERDICT_NOT_SENT:
        return "not_sent";
    case VERDICT_RETRY:
        return "retry";
    case VERDICT_THROTTLE:
        return "throttle";
    case VERDICT_REJECT_NUMBER:
        return "reject_number";
    case VERDICT_REJECT_CONTENT:
        return "reject_content";
    case VERDICT_REJECT_QUOTA:
        return "reject_quota";
    case VERDICT_CONFIG:
        return "config";
    case VERDICT_BUG:
        return "bug";
    case VERDICT_IN_DOUBT:
        return "in_doubt";
    }
    panic("verdict %d", (int)v);
}

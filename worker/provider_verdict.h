/*
 * What an attempt's result means for its job: the one table of DESIGN.md section 7, made at build
 * time from error-codes.tsv (the provider's codes) and error-scopes.tsv (whom a fault concerns).
 * Pure: decides, and does nothing. Retries, rows of like refusals and deadlines are the pipeline's.
 */
#ifndef SENDCODE_WORKER_PROVIDER_VERDICT_H
#define SENDCODE_WORKER_PROVIDER_VERDICT_H

#include "common/base.h"
#include "common/domain/job_state.h"

struct send_result;

enum verdict {
    VERDICT_ACCEPTED,
    VERDICT_NOT_SENT, /* nothing left: the network's or our gate's doing */
    VERDICT_RETRY,    /* refused for now */
    VERDICT_THROTTLE, /* refused for the rate: shrink the window, then as RETRY */
    VERDICT_REJECT_NUMBER,
    VERDICT_REJECT_CONTENT,
    VERDICT_REJECT_QUOTA, /* the provider's limit of this number */
    VERDICT_CONFIG,       /* an operator must mend it; the job is kept */
    VERDICT_BUG,          /* our request is wrong */
    VERDICT_IN_DOUBT,     /* may have been sent */
};

/* Whom a VERDICT_CONFIG concerns. */
enum fault_scope { SCOPE_ACCOUNT, SCOPE_SCENE };

struct verdict_input {
    const struct send_result *result;
    bool resigned; /* this job was signed again already, after a refusal that came too soon */
    int64_t signature_life_us;
};

struct provider_verdict {
    enum verdict verdict;
    enum fault_scope scope; /* with VERDICT_CONFIG */
    enum job_reason reason; /* of the state it leads to; REASON_NONE if it leads to none */
    bool of_clock;          /* refused for the timestamp: says nothing of the provider's load */
    bool sign_again;        /* with VERDICT_RETRY: now, once, with the clock learned anew */
    const char *remedy;     /* with VERDICT_CONFIG, one clause; NULL: see docs/OPERATIONS.md */
    bool has_retry_after;
    int32_t retry_after; /* seconds, where the provider's rule says so */
};

struct provider_verdict provider_verdict(const struct verdict_input *in);

/* What becomes of a job whose message the provider's records show as refused. */
struct code_meaning {
    enum job_state
        state; /* RETRY, REJECTED, LIMITED; IN_DOUBT: the code says nothing for certain */
    enum job_reason reason;
};

/* code: a record's RequestCode. A fault that an operator must mend is a RETRY, with its reason. */
struct code_meaning provider_code_meaning(const char *code);

/* "accepted", "in_doubt" …: for logs and tests. */
const char *verdict_to_text(enum verdict v);

#endif

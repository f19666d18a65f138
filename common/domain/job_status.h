/* What the database says of a job now: the source of its event and of its log line. Borrowed texts.
 */
#ifndef SENDCODE_COMMON_DOMAIN_JOB_STATUS_H
#define SENDCODE_COMMON_DOMAIN_JOB_STATUS_H

#include "common/base.h"
#include "common/domain/job_state.h"

struct json;

struct job_status {
    const char *job_id;
    const char *phone; /* whole; masked when it goes outside */
    const char *scene;
    enum job_state state;
    enum job_reason reason;
    int32_t seq;
    int32_t attempt;           /* 0: none yet */
    const char *provider_code; /* NULL if none; so serial_no and the trace */
    const char *serial_no;
    bool has_retry_after;
    int32_t retry_after; /* seconds */
    int64_t at_us;       /* of the change, Unix microseconds by the database's clock */
    const char *traceparent;
    const char *tracestate;
};

/* The event of CONTRACT.md section 3. The caller frees it. */
struct json *job_status_to_event(const struct job_status *s);

#endif

/* What the queries about one number's messages have in common: number, window, page. */
#ifndef SENDCODE_SANDBOX_QUERY_H
#define SENDCODE_SANDBOX_QUERY_H

#include "common/base.h"
#include "sandbox/number.h"

struct call;
struct message;
struct sandbox;

struct query {
    struct number number;
    int64_t begin_s, end_s; /* Unix time, both included */
    int64_t offset, limit;
};

struct query_bounds {
    int64_t reach_s; /* how far back BeginTime may lie */
    int64_t limit_max, limit_default;
};

/* From BeginTime, EndTime (now), Offset (0), Limit, PhoneNumber, SmsSdkAppId. */
NODISCARD int query_read(struct call *c, const struct query_bounds *bounds, struct query *q);

/* The number's messages from the newest back; NULL: no more. */
const struct message *query_newest(const struct sandbox *s, const struct query *q);
const struct message *query_before(const struct message *m);
bool query_has_time(const struct query *q, const struct message *m);

#endif

/*
 * Port: who is told of conversions, which are codes that were verified (adapter:
 * worker/tencent/conversion_report). One report under way at a time; it never answers before the
 * call returns. They come from receipts_db (ports/receipts.h).
 */
#ifndef SENDCODE_WORKER_PORTS_CONVERSIONS_H
#define SENDCODE_WORKER_PORTS_CONVERSIONS_H

#include "common/base.h"

#define CONVERSIONS_MAX 50 /* taken at a time */

/* Borrowed during the call. */
struct conversion {
    const char *scene, *locale; /* locale may be NULL */
    const char *serial_no;
    int64_t verified_us; /* Unix microseconds */
};

/* X(SUFFIX, text): what became of a report. */
#define CONVERSION_FATES(X)                                                                        \
    X(REPORTED, "reported")                                                                        \
    X(REFUSED, "refused") /* this one, for good */                                                 \
    X(FAILED, "failed")   /* to be tried again */
#define CONVERSION_FATE_ENUM_(suffix, text) CONVERSION_##suffix,
enum conversion_fate { CONVERSION_FATES(CONVERSION_FATE_ENUM_) CONVERSION_FATE_COUNT };
#undef CONVERSION_FATE_ENUM_

struct conversions_provider_handlers {
    void *arg;
    /* why: one sentence, NULL when it was reported; borrowed. */
    void (*told)(void *arg, enum conversion_fate fate, const char *why);
};

struct conversions_provider {
    void *self;
    bool (*is_ready)(void *self); /* its clock is known */
    void (*tell)(void *self, const char *sdk_app_id, const struct conversion *c);
};

#endif

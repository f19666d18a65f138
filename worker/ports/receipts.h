/*
 * Ports: carriers' receipts. receipts_db is where they are kept and joined to jobs, and what old
 * data is dropped from (adapter: worker/pg/pg_receipts); receipts_provider is who hands them out
 * when asked (adapter: worker/tencent/receipts_query). Fakes: tests/replay. Each has one request
 * under way at a time, and never answers before the call returns.
 */
#ifndef SENDCODE_WORKER_PORTS_RECEIPTS_H
#define SENDCODE_WORKER_PORTS_RECEIPTS_H

#include "common/base.h"
#include "common/domain/receipt.h"
#include "worker/ports/conversions.h"

#define RECEIPTS_PAGE_MAX 100 /* the API's own bound of Limit */
#define OVERDUE_MAX 20        /* deliveries taken at a time */

/* X(SUFFIX, text): who gave it to a worker. */
#define RECEIPT_SOURCES(X)                                                                         \
    X(PULL, "pull")           /* the account's queue, which hands each out once */                 \
    X(BY_NUMBER, "by_number") /* those of one number, as often as they are asked for */
#define RECEIPT_SOURCE_ENUM_(suffix, text) RECEIPT_##suffix,
enum receipt_source { RECEIPT_SOURCES(RECEIPT_SOURCE_ENUM_) RECEIPT_SOURCE_COUNT };
#undef RECEIPT_SOURCE_ENUM_
const char *receipt_source_to_text(enum receipt_source s);

/* What one joining did. */
struct join_counts {
    int64_t joined, repeats, orphans;
    int64_t waiting; /* left for later */
};

/* A delivery whose receipt should be here by now. Borrowed during the call. */
struct overdue {
    const char *phone, *scene;
    int64_t accepted_us; /* Unix microseconds */
};

struct receipts_db_handlers {
    void *arg;
    void (*joined)(void *arg, const struct join_counts *c); /* NULL: refused for what is stored */
    /* false: they could not be stored for what is there already; to be tried again later. */
    void (*stored)(void *arg, bool kept);
    /* Ours or another worker's; asked_us: the boot clock before it was asked for the last time. */
    void (*leased)(void *arg, bool ours, int64_t asked_us);
    void (*overdue)(void *arg, const struct overdue *rows, size_t n);
    void (*conversions)(void *arg, const struct conversion *rows, size_t n);
    void (*retained)(void *arg, const char *const *dropped, size_t n);
    void (*idle)(void *arg);
    void (*health)(void *arg, const char *why); /* NULL: reachable */
};

/* Days; 0: for ever. */
struct retention {
    int64_t deliveries, attempts, receipts;
};

struct receipts_db {
    void *self;
    bool (*can_ask)(void *self);
    void (*join)(void *self, int32_t limit);
    void (*store)(void *self, enum receipt_source source, const struct receipt *receipts,
                  size_t n); /* 1 … RECEIPTS_PAGE_MAX; copied */
    /* The one lease of the account's queue. */
    void (*lease)(void *self, int64_t lease_us);
    /* At most OVERDUE_MAX whose acceptance is older than that. */
    void (*take_overdue)(void *self, int64_t overdue_s);
    /* At most limit, each once; of messages accepted longer ago than that. */
    void (*take_conversions)(void *self, int32_t limit, int64_t after_s);
    /* Tried once: after an error nothing was dropped, perhaps. */
    void (*retain)(void *self, const struct retention *keep);
};

/* Borrowed during the call. */
struct receipts_query {
    const char *sdk_app_id;
    const char *phone; /* NULL: the account's queue */
    int64_t since_us;  /* with a phone: Unix microseconds, when its message was accepted */
};

/* Borrowed during the call. */
struct receipts_answer {
    bool answered; /* the provider sent a list, or something that is kept as a fault */
    bool full;     /* it may have more */
    const struct receipt *receipts;
    size_t n;
    const char *why; /* NULL; else one sentence: no list came, or not a good one */
};

struct receipts_provider_handlers {
    void *arg;
    void (*answered)(void *arg, const struct receipts_answer *a);
};

struct receipts_provider {
    void *self;
    bool (*is_ready)(void *self); /* its clock is known */
    void (*ask)(void *self, const struct receipts_query *q);
};

#endif

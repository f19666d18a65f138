/*
 * Port: ownership and claims (sendcode.take_epochs, sendcode.claim). Adapter: worker/pg/pg_claims;
 * fake: tests/replay. One request under way at a time; while the database is away the adapter
 * keeps asking the same (with the same claim id), so that a lost answer is no doubt.
 */
#ifndef SENDCODE_WORKER_PORTS_CLAIMS_H
#define SENDCODE_WORKER_PORTS_CLAIMS_H

#include "common/base.h"
#include "common/domain/job.h"
#include "common/domain/job_status.h"

#define CLAIM_BATCH_MAX 256

struct epoch_ask {
    int32_t partition;
    bool restarted; /* the log started again: open a new incarnation */
};

struct epoch_answer {
    int32_t partition;
    int64_t epoch;
    int32_t incarnation;
    int64_t next_offset; /* one past the highest offset ever met in this incarnation; 0: none */
};

struct claim_ask {
    uint64_t ticket;
    const struct job *job;
    int32_t partition;
    int32_t incarnation;
    int64_t offset;
    int64_t epoch;
    enum job_reason refusal; /* REASON_COUNTRY: to be limited without a charge; else REASON_NONE */
    uint8_t nonce[16]; /* the candidate for a new code, with its proof and its CODE_KEY's id */
    uint8_t proof[32];
    uint8_t key_id[4];
};

enum claim_verdict {
    CLAIM_SEND,      /* claimed: the request may leave */
    CLAIM_DECIDED,   /* this call decided its state: announce, done */
    CLAIM_KNOWN,     /* decided before (redelivered): announce unless claimed, done */
    CLAIM_DUPLICATE, /* job_id known from another record: recorded; announce unless claimed, done */
    CLAIM_BUSY,      /* its phone has a job under way: hold, ask again */
    CLAIM_WAIT,      /* claimed by a former owner: ask again after wait_us */
    CLAIM_FENCED,    /* our epoch for its partition is not the newest */
    CLAIM_FUTURE,    /* requested_at is too far ahead: invalid */
    CLAIM_ROW_REFUSED, /* its own data cannot be stored (SQLSTATE class 22): invalid */
    CLAIM_ROW_ODD,     /* what is stored of it contradicts itself: left as it is, held, asked again
                        */
};

struct claim_answer {
    uint64_t ticket;
    enum claim_verdict verdict;
    int64_t wait_us; /* with CLAIM_WAIT */
    const char *why; /* with CLAIM_ROW_ODD: one sentence; borrowed during the call */
    /* With CLAIM_SEND: */
    int64_t day_us;         /* part of the row's key */
    int64_t deadline_in_us; /* from the moment of the decision, by the database's clock */
    int64_t life_us;        /* what is left of the code's life */
    int32_t code_length;
    uint8_t nonce[16], proof[32], key_id[4]; /* of the code to send */
    struct job_status status;                /* job_id NULL: nothing to announce */
};

struct claims_handlers {
    void *arg;
    void (*epochs)(void *arg, const struct epoch_answer *answers, size_t n);
    /* Borrowed during the call. */
    void (*claimed)(void *arg, const struct claim_answer *answers, size_t n);
    void (*idle)(void *arg);                    /* connected and nothing under way: may ask */
    void (*health)(void *arg, const char *why); /* NULL: reachable */
    /*
     * The schema is missing, older than we need, or not ours to use: one sentence that names the
     * remedy. Said at each try, of which there is always another. May be NULL.
     */
    void (*schema_fault)(void *arg, const char *why);
};

struct claims {
    void *self;
    bool (*can_ask)(void *self);
    void (*take_epochs)(void *self, const struct epoch_ask *asks, size_t n);
    void (*claim)(void *self, const struct claim_ask *asks,
                  size_t n); /* n ≤ CLAIM_BATCH_MAX; copied */
};

#endif

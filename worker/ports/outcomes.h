/*
 * Port: what became of attempts and records (sendcode.record, note_invalid, sweep, outbox).
 * Adapter: worker/pg/pg_outcomes; fake: tests/replay. One request under way at a time; the adapter
 * repeats it until the database answers (all of them are idempotent).
 */
#ifndef SENDCODE_WORKER_PORTS_OUTCOMES_H
#define SENDCODE_WORKER_PORTS_OUTCOMES_H

#include "common/base.h"
#include "common/domain/job.h"
#include "common/domain/job_status.h"

#define RECORD_BATCH_MAX 256

/* X(SUFFIX, text): of an attempt, as known now. */
#define ATTEMPT_OUTCOMES(X)                                                                        \
    X(ACCEPTED, "accepted")                                                                        \
    X(REFUSED, "refused")                                                                          \
    X(NOT_SENT, "not_sent")                                                                        \
    X(IN_DOUBT, "in_doubt")
#define ATTEMPT_OUTCOME_ENUM_(suffix, text) ATTEMPT_##suffix,
enum attempt_outcome { ATTEMPT_OUTCOMES(ATTEMPT_OUTCOME_ENUM_) ATTEMPT_OUTCOME_COUNT };
#undef ATTEMPT_OUTCOME_ENUM_
const char *attempt_outcome_to_text(enum attempt_outcome o);

/* Borrowed during the call of record. */
struct outcome {
    uint64_t ticket;
    const char *job_id;
    int64_t day_us;
    int32_t partition;
    int64_t epoch;
    int32_t attempt;
    int64_t age_us; /* how long ago the attempt began */
    int64_t duration_us;
    enum attempt_outcome outcome;
    enum job_state
        state; /* the move asked for: SENT, RETRY, REJECTED, LIMITED, EXPIRED, IN_DOUBT */
    enum job_reason reason;
    bool has_retry_after;
    int32_t retry_after;                                /* seconds */
    int http_status;                                    /* 0: none */
    const char *provider_code, *request_id, *serial_no; /* NULL or "" if none */
    int32_t fee;
    uint8_t proof[32]; /* of the code that was sent: says which challenge it belongs to */
};

struct outcome_answer {
    uint64_t ticket;
    bool refused_row;         /* its own data cannot be stored: it never will be recorded */
    bool odd_row;             /* what is stored of it contradicts itself: to be recorded later */
    const char *why;          /* with these two: one sentence; borrowed during the call */
    bool applied;             /* false: a decision that was fenced, or stronger facts were there */
    bool duplicate_send;      /* another attempt of the job was accepted as well */
    struct job_status status; /* the job as it is now; job_id NULL if the row is gone */
};

/* A record that is no job, or a run of offsets that the log skipped. */
struct note {
    uint64_t ticket;
    int32_t partition;
    int32_t incarnation;
    int64_t offset;
    const char *reason; /* job_fault_to_label; NULL: a gap from offset up to gap_end (exclusive) */
    int64_t gap_end;
};

struct outbox_row {
    int64_t id;
    struct job_status status;
};

/* What is to be done with a parked job. */
enum parked_kind {
    PARKED_DOUBT, /* in doubt, or unknown: ask the provider */
    PARKED_RETRY  /* certainly not sent: claim it again, as its partition's owner would */
};

/* A parked job whose lease we took: others pass it by until it lapses. Borrowed during the call. */
struct parked_job {
    enum parked_kind kind;
    int64_t lease; /* its number: grows with each taking */
    const char *job_id;
    int64_t day_us;
    const char *phone, *scene;
    const char *locale;                /* NULL if none */
    int64_t requested_us, deadline_us; /* Unix microseconds */
    int32_t partition;
    int32_t incarnation;
    int64_t offset;
    int64_t epoch;   /* the partition's newest: whoever claims with it is fenced like its owner */
    int32_t attempt; /* the last one: with PARKED_DOUBT the one in doubt */
    int64_t claimed_ago_us; /* since its claim, by the database's clock, when the lease was taken */
};

struct parked_ask {
    uint32_t doubts;  /* at most so many with PARKED_DOUBT: the provider's rate allows fewer */
    uint32_t retries; /* at most so many with PARKED_RETRY */
};

/* What the provider's records say about the number of a job in doubt. */
struct settlement_record {
    const char *serial_no;
    int64_t after_take_us; /* accepted so long after the lease was taken (before: negative) */
    bool accepted;
    /* Not accepted: what its code means, as for an attempt (RETRY, REJECTED, LIMITED); IN_DOUBT
     * when it says nothing for certain. */
    enum job_state state;
    enum job_reason reason;
    const char *provider_code; /* "" if none */
};

/* Borrowed during the call. */
struct settlement {
    uint64_t ticket;
    const char *job_id;
    int64_t day_us;
    int64_t lease;
    int32_t attempt;
    bool whole;      /* every record of the number since its claim is here, and none is odd */
    const char *why; /* not whole: one sentence; for the evidence */
    const struct settlement_record *records;
    size_t n_records;
};

/* X(SUFFIX, label): how a question about a job in doubt ended. */
#define SETTLED(X)                                                                                 \
    X(SENT, "sent")           /* its record was found, accepted */                                 \
    X(REFUSED, "refused")     /* found, refused */                                                 \
    X(UNSENT, "unsent")       /* none, asked late enough: certainly not sent */                    \
    X(AMBIGUOUS, "ambiguous") /* more than one could be it: never a second send */                 \
    X(OPEN, "open")           /* nothing for certain yet: asked again later */                     \
    X(PASSED, "passed")       /* the lease lapsed, or the job moved on meanwhile */                \
    X(ODD, "odd")             /* its rows contradict each other: left as it is */
#define SETTLED_ENUM_(suffix, label) SETTLED_##suffix,
enum settled { SETTLED(SETTLED_ENUM_) SETTLED_COUNT };
#undef SETTLED_ENUM_
const char *settled_to_text(enum settled how);
NODISCARD bool settled_from_text(const char *text, enum settled *out); /* text may be NULL */

struct settlement_answer {
    uint64_t ticket;
    enum settled how;
    struct job_status status; /* as it is now; job_id NULL with PASSED and ODD */
};

/* A lease that is given back: of a job that is final, whose event is acknowledged, or of one that
 * is to be taken again after wait_us. */
struct parked_release {
    char job_id[JOB_ID_MAX + 1];
    int64_t day_us;
    int64_t lease;
    int64_t wait_us;
};

struct outcomes_handlers {
    void *arg;
    void (*recorded)(void *arg, const struct outcome_answer *answers, size_t n);
    void (*noted)(void *arg, const uint64_t *tickets, size_t n);
    void (*outbox)(void *arg, const struct outbox_row *rows, size_t n); /* answer to take_outbox */
    void (*swept)(void *arg);
    void (*idle)(void *arg);
    void (*health)(void *arg, const char *why);
    void (*in_doubt)(void *arg, int64_t jobs); /* how many are parked in doubt, from a sweep */
    /* Answer to take_parked; asked_us: the boot clock before it was asked for the last time. */
    void (*parked)(void *arg, const struct parked_job *jobs, size_t n, int64_t asked_us);
    void (*settled)(void *arg, const struct settlement_answer *answer);
    /* Answer to share_rate: ours until valid_us (boot clock). */
    void (*rate_share)(void *arg, int64_t per_s, int64_t valid_us);
};

struct outcomes {
    void *self;
    bool (*can_ask)(void *self);
    void (*record)(void *self, const struct outcome *rows, size_t n);
    void (*note)(void *self, const struct note *notes, size_t n);
    void (*take_outbox)(void *self);                               /* rows due to be announced */
    void (*outbox_done)(void *self, const int64_t *ids, size_t n); /* answered by idle only */
    void (*sweep)(
        void *self); /* parked past deadline → unknown; expired codes erased; partitions ahead */
    void (*take_parked)(void *self, const struct parked_ask *ask);
    void (*settle)(void *self, const struct settlement *s);
    void (*release)(void *self, const struct parked_release *rows, size_t n); /* answered by idle */
    /* Our part of the account's rate, demand being what we could use; both SendSms a second. */
    void (*share_rate)(void *self, int64_t rate, int64_t demand);
};

#endif

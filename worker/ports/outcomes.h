/*
 * Port: what became of attempts and records (sendcode.record, note_invalid, sweep, outbox).
 * Adapter: worker/pg/pg_outcomes; fake: tests/replay. One request under way at a time; the adapter
 * repeats it until the database answers (all of them are idempotent).
 */
#ifndef SENDCODE_WORKER_PORTS_OUTCOMES_H
#define SENDCODE_WORKER_PORTS_OUTCOMES_H

#include "common/base.h"
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
    bool refused_row;         /* the database refuses this row by itself; nothing was recorded */
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

struct outcomes_handlers {
    void *arg;
    void (*recorded)(void *arg, const struct outcome_answer *answers, size_t n);
    void (*noted)(void *arg, const uint64_t *tickets, size_t n);
    void (*outbox)(void *arg, const struct outbox_row *rows, size_t n); /* answer to take_outbox */
    void (*swept)(void *arg);
    void (*idle)(void *arg);
    void (*health)(void *arg, const char *why);
    void (*in_doubt)(void *arg, int64_t jobs); /* how many are parked in doubt, from a sweep */
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
};

#endif

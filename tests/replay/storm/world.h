/*
 * What is around the worker in the storm: a log of records, a database, a provider, as simple as
 * they can be while keeping their word. They outlive the worker, which is killed at random.
 * Every promise that the worker makes to them is checked where it is made.
 */
#ifndef SENDCODE_TESTS_REPLAY_STORM_WORLD_H
#define SENDCODE_TESTS_REPLAY_STORM_WORLD_H

#include <uthash.h>

#include "common/base.h"
#include "common/domain/job_state.h"
#include "common/domain/job_status.h"
#include "worker/chores.h"
#include "worker/pipeline.h"

#define PARTITIONS 3
#define LOG_MAX 2048
#define ASKS_MAX 512
#define PHONES 10 /* their last digits */

struct world;

enum record_kind { RECORD_JOB, RECORD_REFUSED, RECORD_INVALID, RECORD_GAP };

/* One offset of a partition. */
struct log_record {
    enum record_kind kind;
    char job_id[16];
    int phone;
    int64_t requested_us; /* wall clock */
    bool met;             /* by the database: claimed, decided or noted */
    bool buried;          /* its dead letter was acknowledged */
    bool noted;
    bool duplicate; /* noted as one */
};

struct db_job {
    char job_id[16];
    char phone[20];
    enum job_state state;
    int partition;
    int64_t offset;
    int32_t seq, attempt;
    int32_t announced; /* the highest seq whose event was acknowledged */
    int32_t owed;      /* the seq that the record's offset waits for */
    int64_t epoch;
    int64_t requested_us, deadline_us, takeover_us;
    uint8_t nonce[16], proof[32], key_id[4];
    unsigned accepted; /* by the provider, in truth */
    int32_t accepted_attempt;
    bool in_outbox;
    UT_hash_handle hh;
};

struct send {
    uint64_t ticket;
    char job_id[16];
    int64_t began_us; /* boot clock, as it all */
    bool gated;
    int64_t gated_us;
};

struct event {
    uint64_t ticket;
    char job_id[16]; /* "" for a dead letter */
    int32_t seq;
    int partition;
    int64_t offset;
};

enum outcomes_ask { ASK_NONE, ASK_RECORD, ASK_NOTE, ASK_TAKE, ASK_DONE, ASK_SWEEP };

struct log_of {
    struct log_record records[LOG_MAX];
    int64_t end;
    int64_t committed, position;
    bool owned, started;
    int64_t epoch, next_offset;
};

/* What the worker asked of the database. The answer is made when it is asked or when it is given:
 * a request can be through although nobody heard of it. */
struct claims_side {
    bool busy;
    size_t n_epochs;
    struct epoch_ask epochs[PARTITIONS];
    struct epoch_answer epoch_answers[PARTITIONS];
    size_t n;
    struct {
        uint64_t ticket;
        char job_id[16];
        int partition;
        int64_t offset, epoch, asked_us;
        uint8_t nonce[16], proof[32], key_id[4];
    } asks[CLAIM_BATCH_MAX];
    struct claim_answer answers[CLAIM_BATCH_MAX];
    bool decided;
};

struct outcomes_side {
    enum outcomes_ask ask;
    size_t n;
    struct outcome rows[RECORD_BATCH_MAX];
    char job_ids[RECORD_BATCH_MAX][16];
    struct outcome_answer answers[RECORD_BATCH_MAX];
    struct note notes[RECORD_BATCH_MAX];
    uint64_t tickets[RECORD_BATCH_MAX];
    int64_t done[CHORES_OUTBOX_MAX];
    bool decided;
};

struct world {
    uint64_t seed;
    struct pipeline *pipeline;
    struct ports ports;
    struct jobs_source source;
    struct claims claims;
    struct sender sender;
    struct outcomes outcomes;
    struct events events;

    struct log_of logs[PARTITIONS];
    struct db_job *jobs;
    unsigned last_job;
    size_t credit;
    bool committing;
    struct source_offset commit[PARTITIONS];
    size_t n_commit;

    bool db_away, calm; /* calm: everything answers, and well */
    unsigned goodwill; /* percent of the requests that the provider accepts; of each seed its own */
    struct claims_side c;
    struct outcomes_side o;
    struct send sends[ASKS_MAX];
    size_t n_sends;
    struct event unacked[ASKS_MAX];
    size_t n_unacked;
    bool probe_asked, closing, closed, drained;
    unsigned sent, killed;
};

NORETURN PRINTF_LIKE(2, 3) void world_fail(const struct world *w, const char *fmt, ...);
unsigned world_random(struct world *w, unsigned below);
bool world_chance(struct world *w, unsigned percent);

/* database.c */
void database_decide_claims(struct world *w); /* and epochs */
void database_decide_outcomes(struct world *w);
struct job_status database_status(const struct db_job *j);
/* Whether the offset of this record may be committed. */
bool database_is_done(const struct world *w, int partition, int64_t offset);
struct db_job *database_get(const struct world *w, const char *job_id); /* or NULL */

/* database_ports.c */
void database_init(struct world *w);
void database_answer_claims(struct world *w);
void database_answer_outcomes(struct world *w);

/* kafka.c */
void kafka_init(struct world *w);
void kafka_append(struct world *w, int partition);
void kafka_append_fresh(struct world *w, int partition); /* a job that nothing keeps from sending */
void kafka_deliver(struct world *w, int partition);
void kafka_assign(struct world *w, int partition);
void kafka_revoke(struct world *w, int partition, bool lost);
void kafka_answer_commit(struct world *w, bool ok);
void kafka_ack(struct world *w, size_t i);

/* provider.c */
void provider_init(struct world *w);
void provider_step(struct world *w, size_t i); /* the gate, or an answer */
void provider_time_out(struct world *w, size_t i);
void provider_forget(struct world *w); /* its client was killed: what left may arrive */

#endif

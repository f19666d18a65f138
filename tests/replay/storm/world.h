/*
 * What is around two workers in the storm: a log of records, a database, a provider, as simple as
 * they can be while keeping their word. They outlive the workers, which are killed at random, and
 * stand still at random, longer than their partitions are kept for them.
 * Every promise that a worker makes to them is checked where it is made.
 */
#ifndef SENDCODE_TESTS_REPLAY_STORM_WORLD_H
#define SENDCODE_TESTS_REPLAY_STORM_WORLD_H

#include <uthash.h>

#include "common/base.h"
#include "common/domain/job_state.h"
#include "common/domain/job_status.h"
#include "worker/chores.h"
#include "worker/health.h"
#include "worker/meters.h"
#include "worker/pipeline.h"

#define PARTITIONS 3
#define LOG_MAX 2048
#define ASKS_MAX 512
#define PHONES 10 /* their last digits */
#define NODES 2
#define DEADLINE_US (120 * US_PER_S) /* of a job, from its request */
#define SHARE_US (3 * US_PER_S)      /* how long a share of the rate holds */

struct world;
struct node;

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

enum parking { PARKING_NONE, PARKING_DOUBT, PARKING_RETRY, PARKING_UNKNOWN };

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
    int64_t requested_us, deadline_us; /* wall clock, as all of these */
    int64_t claimed_us, takeover_us, not_after_us;
    int32_t unsent_attempt; /* that its worker, fenced, says it did not send */
    enum parking parking;   /* its parked row */
    int64_t lease, lease_until_us, leased_at_us, ask_at_us;
    unsigned asks;
    uint8_t nonce[16], proof[32], key_id[4];
    unsigned accepted; /* by the provider, in truth */
    bool known;        /* its SerialNo, by the database */
    int32_t accepted_attempt;
    bool in_outbox;
    UT_hash_handle hh;
};

struct send {
    uint64_t ticket;
    char job_id[16];
    int64_t began_us;    /* boot clock: when it was signed */
    int64_t takeover_us; /* wall clock: others may doubt it from then on */
    bool gated;
    int64_t gated_us;
    int64_t arrives_us;     /* of an orphan; boot clock */
    bool arrived, accepted; /* at the provider, in truth */
};

struct event {
    uint64_t ticket;
    char job_id[16]; /* "" for a dead letter */
    int32_t seq;
    int partition;
    int64_t offset;
};

/* What the provider remembers of a message. */
struct sms_record {
    char serial_no[20];
    char phone[20];
    int64_t at_us, shown_us; /* boot clock: accepted; to be seen from then on */
};

/* A question for the records of a number. */
struct query {
    uint64_t ticket;
    char phone[20];
    int64_t since_us, asked_us;
};

enum outcomes_ask {
    ASK_NONE,
    ASK_RECORD,
    ASK_NOTE,
    ASK_TAKE,
    ASK_DONE,
    ASK_SWEEP,
    ASK_PARKED,
    ASK_SETTLE,
    ASK_RELEASE,
    ASK_SHARE
};

struct log_of {
    struct log_record records[LOG_MAX];
    int64_t end;
    int64_t committed;
    struct node *owner; /* as the group has it; NULL: nobody's */
    int64_t epoch, next_offset;
};

/* A partition as a worker has it. */
struct part {
    bool owned, started;
    int64_t position;
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
        int64_t offset, epoch;
        int64_t takeover_us, asked_us; /* if it was claimed; boot clock */
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
    int64_t asked_us; /* boot clock */
    struct parked_ask parked_ask;
    struct parked_job parked[64];
    size_t n_parked;
    const struct settlement *settlement; /* its doubt lives until it is answered */
    struct settlement_answer settled;
    struct parked_release releases[256];
    int64_t rate, demand, share;
    bool decided;
};

struct node {
    struct world *world;
    struct pipeline *pipeline;
    struct loop *loop;
    struct health health;
    struct meters meters;
    struct jobs_source source;
    struct claims claims;
    struct sender sender;
    struct outcomes outcomes;
    struct events events;

    struct part parts[PARTITIONS];
    size_t credit;
    bool committing;
    struct source_offset commit[PARTITIONS];
    size_t n_commit;
    struct claims_side c;
    struct outcomes_side o;
    struct send sends[ASKS_MAX];
    size_t n_sends;
    struct query queries[QUERIES_MAX];
    size_t n_queries;
    int64_t share_until_us, share; /* the largest grant that may still be used; boot clock */
    struct event unacked[ASKS_MAX];
    size_t n_unacked;
    bool probe_asked, closing, drained;
    bool paused, paused_long;
};

struct world {
    uint64_t seed;
    const char *conf;
    struct loop *clock; /* nobody's timers: the time itself */
    struct node nodes[NODES];

    struct log_of logs[PARTITIONS];
    struct db_job *jobs;
    unsigned last_job;
    struct send
        orphans[ASKS_MAX]; /* requests whose client gave up, or is dead, and that may arrive */
    size_t n_orphans;
    struct sms_record records[LOG_MAX];
    size_t n_records;
    int64_t paced_us[LOG_MAX]; /* boot clock: when the claims were asked for that were sent */
    size_t n_paced;

    bool db_away, calm; /* calm: everything answers, and well */
    unsigned goodwill; /* percent of the requests that the provider accepts; of each seed its own */
    int64_t rate;      /* jobs a second; 0: no cap */
    unsigned sent, killed, paused, settled[SETTLED_COUNT];
};

NORETURN PRINTF_LIKE(2, 3) void world_fail(const struct world *w, const char *fmt, ...);
unsigned world_random(struct world *w, unsigned below);
bool world_chance(struct world *w, unsigned percent);

/* storm.c */
void storm_answer_probe(struct node *n);
void storm_turn_database(struct world *w); /* away, or back */

/* calm.c */
void calm_end(struct world *w);

/* nodes.c */
void node_start(struct node *n);
void node_stop(struct node *n); /* between two turns of its loop, or in the middle of one */
void node_kill(struct node *n); /* and another in its place */
void node_pause(struct node *n);
void node_resume(struct node *n);
void nodes_turn(struct world *w);
void nodes_let_time_pass(struct world *w, int64_t us);
void nodes_reload(struct node *n);

/* database.c */
void database_decide_claims(struct node *n); /* and epochs */
void database_decide_outcomes(struct node *n);
struct job_status database_status(const struct db_job *j);
void database_move(struct db_job *j, enum job_state to);
void database_to_outbox(struct db_job *j, enum job_state to);
/* Whether the offset of this record may be committed. */
bool database_is_done(const struct world *w, int partition, int64_t offset);
struct db_job *database_get(const struct world *w, const char *job_id); /* or NULL */

/* parked.c */
void parked_park(struct db_job *j); /* it is in doubt */
void parked_take(struct node *n);
void parked_settle(struct node *n);
void parked_release(struct node *n);
void parked_sweep(struct db_job *j);
void parked_share(struct node *n);

/* database_ports.c */
void database_init(struct node *n);
void database_answer_claims(struct node *n);
void database_answer_outcomes(struct node *n);

/* kafka.c */
void kafka_init(struct node *n);
void kafka_append(struct world *w, int partition);
void kafka_append_fresh(struct world *w, int partition); /* a job that nothing keeps from sending */
void kafka_deliver(struct node *n, int partition);
void kafka_assign(struct node *n, int partition); /* taken from whoever has it */
void kafka_revoke(struct node *n, int partition, bool lost);
void kafka_tell_losses(struct node *n); /* what the group gave away while it stood still */
void kafka_answer_commit(struct node *n, bool ok);
void kafka_ack(struct node *n, size_t i);

/* provider.c */
void provider_init(struct node *n);
void provider_step(struct node *n, size_t i); /* the gate, or an answer */
void provider_time_out(struct node *n, size_t i);
void provider_tell_records(struct node *n, size_t i);
void provider_forget(struct node *n); /* its client was killed: what left may arrive */
void provider_pause(struct node *n);  /* some of what left arrives meanwhile */
void provider_orphan(struct world *w, const struct send *s);
void provider_orphans_arrive(struct world *w);

#endif

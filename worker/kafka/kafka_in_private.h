/* The consumer's state, shared by kafka_in*.c only. */
#ifndef SENDCODE_WORKER_KAFKA_KAFKA_IN_PRIVATE_H
#define SENDCODE_WORKER_KAFKA_KAFKA_IN_PRIVATE_H

#include <librdkafka/rdkafka.h>
#include <uthash.h>

#include "common/base.h"
#include "common/loop.h"
#include "worker/kafka/kafka_health.h"
#include "worker/kafka/kafka_log.h"
#include "worker/kafka/kafka_queue.h"
#include "worker/ports/jobs_source.h"

/* A partition that is ours. */
struct kafka_part {
    int32_t partition;
    bool started;
    rd_kafka_queue_t *q; /* its fetch queue: forwarded nowhere, once started to `messages` */
    int64_t log_end;
    uint64_t log_end_burst; /* the burst in which log_end was read */
    UT_hash_handle hh;
};

/* LEFT: `closed` was said, but the client is not closed. */
enum kafka_in_stage { KAFKA_IN_OPEN, KAFKA_IN_CLOSING, KAFKA_IN_CLOSED, KAFKA_IN_LEFT };
enum kafka_in_commit { COMMIT_NONE, COMMIT_SENT, COMMIT_REFUSED };

struct kafka_in {
    struct loop *loop;
    struct jobs_source_handlers h;
    char *topic;
    char *brokers;
    rd_kafka_t *rk;
    struct kafka_queue control;  /* rebalances, errors, statistics, logs, results of commits */
    struct kafka_queue closing;  /* the same while closing */
    struct kafka_queue messages; /* records of started partitions */
    struct kafka_part *parts;    /* uthash by partition */
    struct kafka_log log;
    struct kafka_health health;
    enum kafka_in_stage stage;

    size_t credit;  /* records that may still be delivered */
    bool more;      /* popping stopped early: no wake-up will come */
    uint64_t burst; /* counts runs of the popping loop */
    struct record_header *headers;
    size_t headers_cap;

    bool rebalancing; /* from a revoke to the next assign: no commits */
    enum kafka_in_commit commit;
    struct log_gate commit_gate; /* of failed commits */

    struct loop_timer *tick;    /* 1 s */
    struct loop_timer *pop;     /* goes on popping */
    struct loop_timer *refusal; /* answers a commit that was not sent */
    struct loop_timer *closer;  /* looks whether the consumer is closed */
    int64_t close_by_us;
};

/* An event of any queue but a record; does not destroy it. */
void kafka_in_on_event(struct kafka_in *in, rd_kafka_event_t *ev);

/* kafka_in_rebalance.c */
void kafka_in_on_rebalance(struct kafka_in *in, rd_kafka_event_t *ev);
void kafka_in_drop_all(struct kafka_in *in); /* revokes what is left as lost */
/* The caller destroys the list. */
NODISCARD rd_kafka_topic_partition_list_t *
kafka_in_offset_list(const struct kafka_in *in, const struct source_offset *offsets, size_t n);

/* kafka_in_records.c */
struct kafka_part *kafka_in_get_part(const struct kafka_in *in, int32_t partition); /* or NULL */
void kafka_in_pop(void *arg); /* a loop_fn on struct kafka_in */
void kafka_in_start(void *self, int32_t partition);
void kafka_in_allow(void *self, size_t n);

#endif

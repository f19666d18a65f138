/* The producer's state, shared by kafka_out*.c only. */
#ifndef SENDCODE_WORKER_KAFKA_KAFKA_OUT_PRIVATE_H
#define SENDCODE_WORKER_KAFKA_KAFKA_OUT_PRIVATE_H

#include <librdkafka/rdkafka.h>

#include "common/backoff.h"
#include "common/base.h"
#include "common/loop.h"
#include "worker/kafka/kafka_health.h"
#include "worker/kafka/kafka_log.h"
#include "worker/kafka/kafka_message.h"
#include "worker/kafka/kafka_queue.h"
#include "worker/ports/events.h"

struct err;

struct kafka_out {
    struct loop *loop;
    struct events_handlers h;
    char *brokers;
    char *from;                 /* the jobs topic, named in dead letters */
    char *to[KAFKA_DEST_COUNT]; /* topic names */
    rd_kafka_conf_t *conf;      /* every client is made from a copy */
    rd_kafka_t *rk;             /* NULL: could not be made, to be tried again */
    rd_kafka_topic_t *topic[KAFKA_DEST_COUNT];
    rd_kafka_resp_err_t refused[KAFKA_DEST_COUNT]; /* why a topic's latest message failed */
    struct kafka_queue queue;
    struct kafka_message *messages; /* uthash by id: all that is not acknowledged */
    struct kafka_message *waiting;  /* those of them that librdkafka does not have */
    uint64_t last_id;
    bool broken;   /* fatal: the client is to be replaced */
    bool replaced; /* it was, and nothing has been acknowledged since */
    bool full;     /* librdkafka's queue was, at the latest try */
    struct backoff backoff;
    struct loop_timer *retry;
    struct loop_timer *tick;
    struct kafka_log log;
    struct kafka_health health;
};

/* Reports, errors, statistics and logs: a loop_fn on struct kafka_out. */
void kafka_out_on_queue(void *arg);

/* kafka_out_client.c: on failure nothing is left of the client. */
NODISCARD int kafka_out_make_client(struct kafka_out *out, struct err *e);
void kafka_out_drop_client(struct kafka_out *out);
/* After a fatal error: what was not delivered waits again. out->broken stays true on failure. */
void kafka_out_replace_client(struct kafka_out *out);

#endif

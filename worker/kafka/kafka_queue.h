/*
 * One of librdkafka's queues on the loop: wakes a callback when events wait. librdkafka fires only
 * when the queue goes from empty to non-empty, so whoever stops before NULL must remember it.
 */
#ifndef SENDCODE_WORKER_KAFKA_KAFKA_QUEUE_H
#define SENDCODE_WORKER_KAFKA_KAFKA_QUEUE_H

#include <librdkafka/rdkafka.h>

#include "common/base.h"
#include "common/loop.h"

struct err;

struct kafka_queue {
    rd_kafka_queue_t *q; /* owned; NULL when closed */
    int fd;              /* eventfd */
    struct loop_io *io;
    loop_fn *fn;
    void *arg;
};

/* Takes q over, also when it fails. fn(arg) is called from the loop when q may hold events. */
NODISCARD int kafka_queue_open(struct kafka_queue *kq, struct loop *loop, rd_kafka_queue_t *q,
                               loop_fn *fn, void *arg, struct err *e);
void kafka_queue_close(struct kafka_queue *kq); /* closed already: fine */

/* The next event, NULL when there is none; the caller destroys it. Never waits. */
NODISCARD rd_kafka_event_t *kafka_queue_pop(struct kafka_queue *kq);

#endif

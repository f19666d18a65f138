/*
 * The jobs topic as the pipeline's source: a group consumer on the loop (port: jobs_source).
 * Back-pressure is by split queues: a partition's records wait in its own queue until `start`, and
 * in one queue of ours while there is no credit; pause and resume are not used.
 */
#ifndef SENDCODE_WORKER_KAFKA_KAFKA_IN_H
#define SENDCODE_WORKER_KAFKA_KAFKA_IN_H

#include "common/base.h"
#include "worker/ports/jobs_source.h"

struct err;
struct kafka_in;
struct loop;
struct settings;

/*
 * Joins the group; what comes of it, Kafka being away included, is told to the handlers from the
 * loop. They are copied; settings are not needed after the call. PERM: [kafka] is at fault.
 */
NODISCARD struct kafka_in *kafka_in_new(struct loop *loop, const struct settings *s,
                                        const struct jobs_source_handlers *handlers, struct err *e);
struct jobs_source kafka_in_port(struct kafka_in *in);

/* Without close before, the group learns of it by its time-out. Not from one of its handlers. */
void kafka_in_free(struct kafka_in *in); /* NULL is fine */

#endif

/*
 * Events and dead letters to Kafka: an idempotent producer on the loop (port: events). A message is
 * kept and repeated until the broker acknowledges it, over fatal errors of the producer too.
 */
#ifndef SENDCODE_WORKER_KAFKA_KAFKA_OUT_H
#define SENDCODE_WORKER_KAFKA_KAFKA_OUT_H

#include "common/base.h"
#include "worker/ports/events.h"

struct err;
struct kafka_out;
struct loop;
struct settings;

/* Handlers are copied; settings are not needed after the call. PERM: [kafka] is at fault. */
NODISCARD struct kafka_out *kafka_out_new(struct loop *loop, const struct settings *s,
                                          const struct events_handlers *handlers, struct err *e);
struct events kafka_out_port(struct kafka_out *out);

/* What is not acknowledged is dropped. Not from one of its own handlers. NULL is fine. */
void kafka_out_free(struct kafka_out *out);

#endif

/* --broker: a small Kafka broker on loopback, librdkafka's mock cluster with sendcode's topics. */
#ifndef SENDCODE_SANDBOX_BROKER_H
#define SENDCODE_SANDBOX_BROKER_H

#include "common/base.h"

struct broker;
struct err;

#define BROKER_JOB_PARTITIONS 12

/* jobs, events, dead: the topics' names. NULL with one sentence in e. */
NODISCARD struct broker *broker_new(const char *jobs, const char *events, const char *dead,
                                    struct err *e);
const char *broker_addresses(const struct broker *b); /* for bootstrap.servers */
void broker_free(struct broker *b);                   /* NULL is fine */

#endif

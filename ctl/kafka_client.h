/* Clients of Kafka for the commands, and whether a topic is there to be used. */
#ifndef SENDCODE_CTL_KAFKA_CLIENT_H
#define SENDCODE_CTL_KAFKA_CLIENT_H

#include <librdkafka/rdkafka.h>

#include "common/base.h"
#include "common/kafka/kafka_conf.h"

struct ctl;
struct settings;

/* on_report(rk, message, opaque) learns of each delivery, from rd_kafka_poll. */
typedef void kafka_report_fn(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque);

/*
 * A silent client: a consumer, which is told of the ends of partitions, for KAFKA_CONSUMER, else a
 * producer. on_report may be NULL. NULL when [kafka] is at fault: that is said then, and the exit
 * code is 78. The caller destroys it.
 */
NODISCARD rd_kafka_t *kafka_client_new(const struct ctl *c, const struct settings *s,
                                       enum kafka_role role, kafka_report_fn *on_report,
                                       void *opaque);

/*
 * Asks the brokers for the topic's partitions (count may be NULL). When they cannot be reached or
 * have no such topic, says so; returns an exit code.
 */
int kafka_client_partitions(const struct ctl *c, rd_kafka_t *rk, rd_kafka_topic_t *topic,
                            int *count);

/*
 * The lowest offset of a partition and the next one. Asks again for a while: a new topic's leader
 * is not known at once. When nobody tells, says so; returns an exit code.
 */
int kafka_client_bounds(const struct ctl *c, rd_kafka_t *rk, const char *topic, int32_t partition,
                        int64_t *low, int64_t *next);

#endif

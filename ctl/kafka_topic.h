/* Whether a topic is there to be used. */
#ifndef SENDCODE_CTL_KAFKA_TOPIC_H
#define SENDCODE_CTL_KAFKA_TOPIC_H

#include <librdkafka/rdkafka.h>

struct ctl;

/*
 * Asks the brokers for the topic's partitions (count may be NULL). When they cannot be reached or
 * have no such topic, says so; returns an exit code.
 */
int kafka_topic_partitions(const struct ctl *c, rd_kafka_t *rk, rd_kafka_topic_t *topic,
                           int *count);

#endif

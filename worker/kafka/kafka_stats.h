/* What the adapters want from librdkafka's statistics. */
#ifndef SENDCODE_WORKER_KAFKA_KAFKA_STATS_H
#define SENDCODE_WORKER_KAFKA_KAFKA_STATS_H

#include <librdkafka/rdkafka.h>

#include "common/base.h"

struct json;

/* ev is an RD_KAFKA_EVENT_STATS. NULL if it cannot be read; the caller frees. */
NODISCARD struct json *kafka_stats_parse(rd_kafka_event_t *ev);

enum broker_sight {
    BROKERS_IDLE,    /* no connection, and none is sought */
    BROKERS_FAILING, /* one is sought and does not come about */
    BROKERS_UP,      /* at least one stands */
};
enum broker_sight kafka_stats_brokers(const struct json *stats);

/* The topic is known to the brokers: a partition of it has a leader. */
bool kafka_stats_topic_is_there(const struct json *stats, const char *topic);

/* Records behind the end of the log, -1 if not known (yet). */
int64_t kafka_stats_lag(const struct json *stats, const char *topic, int32_t partition);

#endif

/* librdkafka's own log lines into ours: levels mapped, and each facility rate-limited. */
#ifndef SENDCODE_WORKER_KAFKA_KAFKA_LOG_H
#define SENDCODE_WORKER_KAFKA_KAFKA_LOG_H

#include <librdkafka/rdkafka.h>

struct kafka_log_gate;

struct kafka_log {
    const char *client; /* "consumer" or "producer", for the line */
    struct kafka_log_gate *gates;
};

/* ev is an RD_KAFKA_EVENT_LOG; the caller destroys it. */
void kafka_log_event(struct kafka_log *log, rd_kafka_event_t *ev);
void kafka_log_free(struct kafka_log *log);

#endif

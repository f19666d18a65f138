/* How long Kafka keeps what is in our topics. */
#ifndef SENDCODE_CTL_KAFKA_RETENTION_H
#define SENDCODE_CTL_KAFKA_RETENTION_H

#include "common/base.h"

struct ctl;
struct settings;

enum kafka_topic { TOPIC_JOBS, TOPIC_DEAD, TOPIC_EVENTS, TOPIC_KINDS };

struct kafka_retention {
    const char *topic; /* the settings' */
    bool known;        /* else the broker did not tell */
    int64_t kept_ms;   /* a record's longest life; -1: for ever */
};

/* Asks the brokers for each topic. When they cannot be reached, all stay unknown. */
void kafka_retention_ask(const struct ctl *c, const struct settings *s,
                         struct kafka_retention out[TOPIC_KINDS]);

#endif

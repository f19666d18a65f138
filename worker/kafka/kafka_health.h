/*
 * Whether a Kafka client can do its work, as one sentence for /readyz and the log: said when it
 * changes, and again at intervals while it cannot.
 */
#ifndef SENDCODE_WORKER_KAFKA_KAFKA_HEALTH_H
#define SENDCODE_WORKER_KAFKA_KAFKA_HEALTH_H

#include <librdkafka/rdkafka.h>

#include "common/base.h"
#include "common/err.h"
#include "common/log.h"
#include "worker/kafka/kafka_stats.h"

struct kafka_health {
    const char *client;                     /* "consumer" or "producer" */
    const char *brokers;                    /* bootstrap.servers; borrowed */
    void (*fn)(void *arg, const char *why); /* NULL when all is well; called on changes only */
    void *arg;
    bool alive;  /* a broker has been seen up, and not all down since */
    int failing; /* statistics in a row without a connection */
    rd_kafka_resp_err_t transport_err;
    char transport[256];    /* the latest reason that a connection failed */
    char down[512];         /* why no broker is reachable, "" if one is */
    char topic[512];        /* what is wrong with a topic, "" if nothing */
    char fatal[512];        /* what ended the client, "" if it lives */
    bool told;              /* fn was called at least once */
    char said[512];         /* what fn was told last */
    struct log_gate repeat; /* of the sentence */
    struct log_gate others; /* errors that are no condition */
};

void kafka_health_init(struct kafka_health *h, const char *client, const char *brokers,
                       void (*fn)(void *arg, const char *why), void *arg);

/* An RD_KAFKA_EVENT_ERROR of the client as a whole. */
void kafka_health_on_error(struct kafka_health *h, rd_kafka_resp_err_t err, const char *text);
void kafka_health_on_alive(struct kafka_health *h);
/*
 * What each of the statistics shows. librdkafka says "all brokers down" once, and not at all while
 * there is a broker that it never tried: failing three times in a row counts as the same.
 */
void kafka_health_on_brokers(struct kafka_health *h, enum broker_sight sight);
/* A topic cannot be used; for a missing one the sentence names the remedy. */
void kafka_health_on_topic(struct kafka_health *h, const char *topic, rd_kafka_resp_err_t err);
void kafka_health_on_topic_good(struct kafka_health *h);
void kafka_health_on_fatal(struct kafka_health *h,
                           const char *text);   /* NULL: replaced, good again */
void kafka_health_tick(struct kafka_health *h); /* about once a second */

#endif

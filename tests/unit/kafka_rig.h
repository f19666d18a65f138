/*
 * What the tests of the Kafka adapters share: a mock cluster or a real one, the real loop with
 * waiting for a condition, a plain producer and a plain reader.
 */
#ifndef SENDCODE_TESTS_UNIT_KAFKA_RIG_H
#define SENDCODE_TESTS_UNIT_KAFKA_RIG_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "common/base.h"
#include "common/loop.h"
#include "common/settings/settings.h"

#define RIG_TEXT 64
#define RIG_HEADERS 16
#define RIG_PROPERTIES 24

struct rig {
    struct loop *loop;
    rd_kafka_t *host; /* of the mock cluster; NULL with a real one */
    rd_kafka_mock_cluster_t *mock;
    rd_kafka_t *producer; /* a plain one, for the test's own records */
    char jobs[RIG_TEXT], events[RIG_TEXT], dead[RIG_TEXT];
    struct property properties[RIG_PROPERTIES];
    struct settings settings;
};

/* partitions 0: the jobs topic does not exist; dead: whether the dead-letter topic does. */
void rig_open_mock(struct rig *r, int partitions, bool dead);
/* Against brokers; extra: property pairs, ended by NULL. Topics are made by the test. */
void rig_open(struct rig *r, const char *brokers, const char *const *extra);
void rig_close(struct rig *r);
void rig_set(struct rig *r, const char *name, const char *value);

/* Runs the loop until cond(arg); fails the test, naming what, after 60 s. */
void rig_wait(struct rig *r, bool (*cond)(void *arg), void *arg, const char *what);
void rig_run_ms(struct rig *r, int ms); /* only to show that something does not happen */

/* A record "key"/"value" into a partition of the jobs topic, acknowledged some time. */
void rig_send(struct rig *r, int32_t partition, const char *key, const char *value);
/* The same, acknowledged when this returns. */
void rig_produce(struct rig *r, int32_t partition, const char *key, const char *value);
/* n records with the values 0 … n-1. */
void rig_produce_many(struct rig *r, int32_t partition, int n);

/* A message as the test's plain reader finds it. */
struct rig_message {
    char key[256];
    bool key_null;
    size_t key_len;
    char value[512];
    bool value_null;
    size_t value_len;
    int n_headers;
    struct {
        char name[RIG_TEXT];
        char value[256];
        bool null;
    } headers[RIG_HEADERS];
};

/* Reads all n messages that a topic must hold, from its beginning; fails the test if it holds less.
 */
void rig_read(struct rig *r, const char *topic, struct rig_message *out, int n);
const char *rig_header(const struct rig_message *m,
                       const char *name); /* the last so named, or NULL */

#endif

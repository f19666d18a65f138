/* A pipeline in small: takes what kafka_in delivers and writes it down. */
#ifndef SENDCODE_TESTS_UNIT_KAFKA_TAKER_H
#define SENDCODE_TESTS_UNIT_KAFKA_TAKER_H

#include "tests/unit/kafka_rig.h"
#include "worker/ports/jobs_source.h"

#define TAKER_PARTITIONS 32

struct kafka_in;

struct taker {
    struct rig *rig;
    struct kafka_in *in;
    struct jobs_source port;
    bool start; /* start partitions when they are assigned */
    bool owned[TAKER_PARTITIONS];
    bool started[TAKER_PARTITIONS];
    int64_t next[TAKER_PARTITIONS];  /* one past the latest delivered; -1: none yet */
    int64_t seen[TAKER_PARTITIONS];  /* records delivered, ever */
    int64_t first[TAKER_PARTITIONS]; /* offset of the first record after the latest start; -1 */
    int64_t lag[TAKER_PARTITIONS];
    int64_t total;
    int64_t log_end; /* of the latest record */
    int64_t published_us;
    size_t value_len;
    char key[RIG_TEXT], value[RIG_TEXT];
    char header_name[RIG_TEXT], header_value[RIG_TEXT]; /* of the first header; "" */
    bool key_null, value_null;
    bool disorder; /* an offset did not grow by at least one */
    bool stray;    /* a record of a partition not owned or not started */
    int assigned, revoked, lost, commits_good, commits_bad;
    size_t revoked_partitions;
    void (*hook)(void *arg, const struct record *rec); /* called for each record; NULL: none */
    void *hook_arg;
    bool closed;
    bool healthy;
    char why[512];
};

void taker_open(struct taker *t, struct rig *r, bool start, size_t credit);
void taker_close(struct taker *t); /* leaves the group and frees */
size_t taker_owns(const struct taker *t);

/* For rig_wait: what a taker is to reach. */
struct goal {
    struct taker *t;
    int64_t n;
};
bool taker_has_delivered(void *goal); /* n records, ever */
bool taker_owns_goal(void *goal);     /* n partitions, no more */
void taker_await(struct taker *t, int64_t n);

void taker_commit(struct taker *t); /* what is delivered, of all owned partitions */

#endif

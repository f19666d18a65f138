/* A pipeline in small, for kafka_out: posts, and writes down what is acknowledged. */
#ifndef SENDCODE_TESTS_UNIT_KAFKA_POSTER_H
#define SENDCODE_TESTS_UNIT_KAFKA_POSTER_H

#include "tests/unit/kafka_rig.h"
#include "worker/ports/events.h"

#define TICKETS_MAX 1024

struct kafka_out;

struct poster {
    struct rig *rig;
    struct kafka_out *out;
    struct events port;
    int times[TICKETS_MAX]; /* published, by ticket */
    size_t published;
    size_t goal;
    char why[512];
    bool was_unwell;
};

void poster_open(struct poster *p, struct rig *r);
void poster_close(struct poster *p); /* and the rig */

/* Some event of the job "job-TICKET". */
void poster_publish(struct poster *p, uint64_t ticket);
/* That record as a dead letter, with the error POSTER_ERROR, at 2026-11-18T11:06:40.123Z. */
#define POSTER_ERROR "scene is not configured"
void poster_dead_letter(struct poster *p, uint64_t ticket, const struct record *rec,
                        bool omit_code);
void poster_await(struct poster *p, size_t n); /* until n are acknowledged */

/* Every ticket from 0 to n-1 exactly once, and nothing is left. */
void poster_assert_each_once(struct poster *p, size_t n);

bool poster_is_unwell(void *arg); /* conditions for rig_wait, on struct poster */
bool poster_is_well(void *arg);

#endif

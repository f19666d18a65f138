/* Puts dead letters back on the jobs topic, a batch at a time. */
#ifndef SENDCODE_CTL_KAFKA_REPLAY_H
#define SENDCODE_CTL_KAFKA_REPLAY_H

#include "common/base.h"

struct ctl;
struct kafka_replay;
struct letter;
struct settings;

enum put {
    PUT_DONE,
    PUT_TOO_LARGE, /* the brokers take no record of this size */
    PUT_NOT,       /* certainly not */
    PUT_UNSURE,    /* perhaps */
};

/* On failure says so and returns NULL with the exit code in *code. */
NODISCARD struct kafka_replay *kafka_replay_open(const struct ctl *c, const struct settings *s,
                                                 int *code);
void kafka_replay_close(struct kafka_replay *k); /* NULL is fine */

/*
 * Key, value and headers of each letter but its own, and how often it is replayed; in this order.
 * Waits until all are settled, for delivery.timeout.ms at most: puts[i] tells.
 */
void kafka_replay_put(struct kafka_replay *k, struct letter *const *letters, size_t n,
                      enum put *puts);

/* Why the last ones that are PUT_NOT or PUT_UNSURE are that. */
const char *kafka_replay_why(const struct kafka_replay *k);

#endif

/*
 * A message of ours to Kafka, kept until the broker acknowledges it: an event, or a dead letter as
 * CONTRACT.md section 3 has it.
 */
#ifndef SENDCODE_WORKER_KAFKA_KAFKA_MESSAGE_H
#define SENDCODE_WORKER_KAFKA_KAFKA_MESSAGE_H

#include <librdkafka/rdkafka.h>
#include <uthash.h>

#include "common/base.h"
#include "worker/ports/events.h"

enum kafka_dest { KAFKA_TO_EVENTS, KAFKA_TO_DEAD, KAFKA_DEST_COUNT };

#define KAFKA_LETTER_ERROR_MAX 200

/* Where a dead letter's record came from, for the `sendcode-` headers. */
struct kafka_origin {
    const char *topic; /* borrowed from the producer */
    int32_t partition;
    int64_t offset;
    int64_t at_us;
    char error[KAFKA_LETTER_ERROR_MAX + 1];
};

struct kafka_message {
    uint64_t id; /* ours, unique in the producer; the delivery report brings it back */
    uint64_t ticket;
    enum kafka_dest dest;
    bool waiting; /* in the producer's list, not with librdkafka */
    void *key;    /* NULL: none; the same for value */
    size_t key_len;
    void *value;
    size_t value_len;
    rd_kafka_headers_t *headers; /* NULL: none */
    bool whole;                  /* a dead letter that can still be shrunk */
    struct kafka_origin origin;  /* of a dead letter */
    struct kafka_message *prev, *next;
    UT_hash_handle hh;
};

NODISCARD struct kafka_message *kafka_message_from_status(uint64_t ticket,
                                                          const struct job_status *status);
/* from: the topic that the letter's record was read from; lives as long as the message. */
NODISCARD struct kafka_message *
kafka_message_from_letter(uint64_t ticket, const struct dead_letter *letter, const char *from);
void kafka_message_free(struct kafka_message *m);

/*
 * It is too large to be produced: drops value and headers, then the key. False: nothing is left to
 * drop.
 */
NODISCARD bool kafka_message_shrink(struct kafka_message *m);

/* Copies it into librdkafka's queue, its id as the opaque; or says why not. */
NODISCARD rd_kafka_resp_err_t kafka_message_produce(const struct kafka_message *m, rd_kafka_t *rk,
                                                    rd_kafka_topic_t *topic);

#endif

/*
 * A dead letter (CONTRACT.md section 3): what its `sendcode-` headers say, and whether it is one of
 * those that the operator asks for. Nothing here knows Kafka.
 */
#ifndef SENDCODE_CTL_LETTER_H
#define SENDCODE_CTL_LETTER_H

#include "common/base.h"
#include "common/text.h"

#define LETTER_TEXT_SIZE 256 /* topics have at most 249 bytes, errors 200 */

struct letter_header {
    const char *name;
    const void *value; /* NULL: none */
    size_t len;
};

struct letter {
    void *message; /* owns all bytes that the letter points to */
    int32_t partition;
    int64_t offset;
    const void *key; /* NULL: none; the same for value */
    size_t key_len;
    const void *value;
    size_t value_len;
    struct letter_header *headers;
    size_t n_headers;

    /* From the headers, by letter_read. */
    char error[LETTER_TEXT_SIZE];
    char from_topic[LETTER_TEXT_SIZE]; /* where the record was read from */
    int64_t from_partition, from_offset;
    int64_t at_us;      /* Unix microseconds */
    int64_t replays;    /* how often it was put back before it became this letter */
    bool omitted;       /* the value was not kept */
    const char *reason; /* label of the rule that it broke, "other" for an unknown text */
};

struct letter_filter {
    const char *reason; /* a label, else a part of the error; NULL: any */
    int64_t from_us;    /* inclusive */
    int64_t to_us;      /* exclusive */
    int64_t partition;  /* that the record was read from; -1: any */
};

/* Fills the second half of *l. False: a header is missing or unreadable, it is no dead letter. */
NODISCARD bool letter_read(struct letter *l);

bool letter_matches(const struct letter *l, const struct letter_filter *f);

/* The header belongs to the dead letter, not to the record that it was. */
bool letter_header_is_ours(const struct letter_header *h);

#endif

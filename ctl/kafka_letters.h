/* Reads the dead-letter topic from its beginning to where it ends now, outside any group. */
#ifndef SENDCODE_CTL_KAFKA_LETTERS_H
#define SENDCODE_CTL_KAFKA_LETTERS_H

#include "common/base.h"

struct ctl;
struct kafka_letters;
struct letter;
struct settings;

enum letters_got {
    LETTERS_ONE,
    LETTERS_NONE_YET, /* in this time */
    LETTERS_END,
    LETTERS_FAILED, /* that is said then */
};

/* On failure says so and returns NULL with the exit code in *code. */
NODISCARD struct kafka_letters *kafka_letters_open(const struct ctl *c, const struct settings *s,
                                                   int *code);
void kafka_letters_close(struct kafka_letters *k); /* NULL is fine */

/* The next record in *l, with its headers but unread; the caller frees it. */
NODISCARD enum letters_got kafka_letters_next(struct kafka_letters *k, int timeout_ms,
                                              struct letter **l);
void kafka_letter_free(struct letter *l);

/* For a progress bar: offsets behind us, and all that there are. */
size_t kafka_letters_done(const struct kafka_letters *k);
size_t kafka_letters_total(const struct kafka_letters *k);

#endif

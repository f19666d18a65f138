/*
 * Which dead letters were put back already, in PostgreSQL. A letter is marked before it is put
 * back, so that it is put back at most once, whatever breaks between the two.
 */
#ifndef SENDCODE_CTL_REPLAY_MARKS_H
#define SENDCODE_CTL_REPLAY_MARKS_H

#include "common/base.h"

struct err;
struct letter;
struct pg_sync;

struct replay_marks {
    struct pg_sync *db;
    const char *topic; /* of the dead letters */
};

/* Each fills marked[i] for letters[i]. On failure *e, and pg_sync_sqlstate. */

/* It was put back already. */
NODISCARD int replay_marks_find(const struct replay_marks *m, struct letter *const *letters,
                                size_t n, bool *marked, struct err *e);

/* It is marked now, by us: because nobody had, or by force. */
NODISCARD int replay_marks_set(const struct replay_marks *m, struct letter *const *letters,
                               size_t n, bool force, bool *marked, struct err *e);

/* Takes our mark back from letters that certainly were not put back. */
NODISCARD int replay_marks_clear(const struct replay_marks *m, struct letter *const *letters,
                                 size_t n, struct err *e);

#endif

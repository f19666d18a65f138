/*
 * Which offset of one partition may be committed, while records finish out of order.
 * Memory grows with what is unfinished only: a finished record leaves nothing behind.
 */
#ifndef SENDCODE_WORKER_OFFSETS_H
#define SENDCODE_WORKER_OFFSETS_H

#include "common/base.h"

/* One unfinished record (or run of skipped offsets); embedded in its owner. */
struct offset_mark {
    int64_t offset;
    bool pending;
    struct offset_mark *prev, *next;
};

struct offsets {
    struct offset_mark *pending; /* in offset order */
    int64_t next;                /* one past the last offset begun; 0: none yet */
    int64_t committed;           /* last position given to a commit that went through */
};

/* Begins `offset`, up to but excluding `next`; in ascending order only. */
void offsets_begin(struct offsets *o, struct offset_mark *mark, int64_t offset, int64_t next);

/* It is finished; a mark that is not pending is left alone. */
void offsets_done(struct offsets *o, struct offset_mark *mark);

/* The lowest offset not finished: what a new owner has to read first. */
int64_t offsets_position(const struct offsets *o);

#endif

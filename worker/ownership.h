/*
 * The partitions that are ours: their epochs, what was met of them, and what may be committed
 * (DESIGN.md section 5). Knows no port: it says what to ask, and is told the answers.
 */
#ifndef SENDCODE_WORKER_OWNERSHIP_H
#define SENDCODE_WORKER_OWNERSHIP_H

#include <uthash.h>

#include "common/base.h"
#include "worker/offsets.h"
#include "worker/ports/claims.h"
#include "worker/ports/jobs_source.h"

struct partition {
    int32_t id;
    int64_t epoch; /* 0: none yet; jobs wait */
    int32_t incarnation;
    int64_t next_offset; /* one past the highest ever met, as the database had it */
    bool started;        /* the source was told to deliver */
    bool met;            /* a record of this tenure was seen */
    bool restarted;      /* the log started again: the next epoch opens an incarnation */
    bool asked;          /* the request under way asks for its epoch */
    uint64_t last_gap;   /* ticket of the gap begun last; 0: none */
    int64_t ask_at_us;   /* boot clock: not before this moment */
    struct offsets offsets;
    UT_hash_handle hh;
};

struct ownership {
    struct partition *partitions;
    bool asking; /* an epoch request is under way */
};

void ownership_add(struct ownership *o, int32_t partition);
struct partition *ownership_get(struct ownership *o, int32_t partition); /* NULL: not ours */

/* The caller detached every flight of it. */
void ownership_remove(struct ownership *o, struct partition *p);

/* Partitions that want an epoch now; at most max. They are asked for then. */
size_t ownership_wanted(struct ownership *o, int64_t now_us, struct epoch_ask *asks, size_t max);

/* How long until one wants an epoch; -1: none does. */
int64_t ownership_next_us(const struct ownership *o, int64_t now_us);

/*
 * Takes an answer; NULL when the partition is gone meanwhile. One that was lost and won again since
 * the question is asked for anew: its log may be another.
 */
struct partition *ownership_on_epoch(struct ownership *o, const struct epoch_answer *a);

/* Our epoch is not the newest although the partition is ours: another one, after a random pause. */
void ownership_on_fenced(struct partition *p, int64_t epoch, int64_t now_us);

/*
 * A record was met. True when offsets were skipped before it: from *gap_start to its offset.
 * Sets restarted (and takes the epoch away) when the log turns out to have begun again.
 */
NODISCARD bool ownership_met(struct partition *p, const struct record *rec, int64_t *gap_start);

/* The record is of an offset that this tenure has passed: the log began again under our hands. */
bool ownership_went_back(const struct partition *p, const struct record *rec);

/* Positions that are ahead of what was committed; at most max. */
size_t ownership_to_commit(const struct ownership *o, struct source_offset *out, size_t max);
void ownership_on_committed(struct ownership *o, const struct source_offset *offsets, size_t n);

#endif

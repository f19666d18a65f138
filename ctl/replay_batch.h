/*
 * Letters that are put back together: chosen by the operator's wish, marked, produced, awaited, and
 * counted. Killed at any moment, no letter is put back twice.
 */
#ifndef SENDCODE_CTL_REPLAY_BATCH_H
#define SENDCODE_CTL_REPLAY_BATCH_H

#include "common/base.h"
#include "common/buf.h"
#include "ctl/kafka_replay.h"
#include "ctl/letter.h"
#include "ctl/replay_marks.h"
#include "ctl/replay_report.h"

#define REPLAY_BATCH 100

struct ctl;
struct settings;

struct replay_wish {
    struct letter_filter filter;
    bool fresh; /* as if asked for now */
    bool force; /* also those that were put back before */
};

/* What goes with a letter. */
struct replay_item {
    struct buf value; /* what --fresh made; the letter's value then points to it */
    const char *now;  /* what a worker would say to it: a label, "ok" or "late" */
};

struct replay_batch {
    const struct ctl *ctl;
    const struct settings *settings;
    const struct replay_wish *wish;
    struct replay_marks marks;
    struct kafka_replay *to; /* NULL: a dry run */
    struct letter *letters[REPLAY_BATCH];
    struct replay_item items[REPLAY_BATCH];
    size_t n; /* below REPLAY_BATCH between calls of take and settle */
    struct replay_report report;
};

/* Takes the letter over: it joins the batch, or it is counted as left out, or nobody asked for it.
 */
void replay_batch_take(struct replay_batch *b, struct letter *l);

/*
 * Puts the batch back, or of a dry run looks which of it would be; it is empty then. What fails is
 * said; returns an exit code.
 */
int replay_batch_settle(struct replay_batch *b);

/* Forgets letters that were taken and not settled. */
void replay_batch_drop(struct replay_batch *b);

#endif

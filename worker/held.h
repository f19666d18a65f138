/*
 * Jobs held in memory, offset undone, until their time comes: retries, jobs whose phone is busy,
 * jobs of a stopped scene, claims of a former owner, rows that are odd. Their number is bounded by
 * the pipeline.
 */
#ifndef SENDCODE_WORKER_HELD_H
#define SENDCODE_WORKER_HELD_H

#include "worker/flight.h"

struct loop;
struct phone_queue;

/* Its time has come; it is not held any more. */
typedef void held_fn(void *arg, struct flight *f, enum hold why);

struct held {
    struct loop *loop;
    held_fn *due;
    void *arg;
    struct phone_queue *by_phone;
    size_t n_not_ready; /* of those held: for a busy phone or a former owner */
};

void held_init(struct held *h, struct loop *l, held_fn *due, void *arg);

/* f->hold says why. With HOLD_BUSY it also listens for its phone. */
void held_add(struct held *h, struct flight *f, int64_t wait_us);

/* Not held any more, without a call: its partition is gone. */
void held_remove(struct held *h, struct flight *f);

/* A stop is over: those of this list that are held for one are due now. */
void held_wake_stopped(struct held *h, struct flight *list);

/* This phone's job ended: those who waited for it are due now. */
void held_wake_phone(struct held *h, const char *phone);

#endif

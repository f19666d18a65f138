/*
 * What any worker does beside its jobs, through the outcomes port: asks for its share of the
 * account's rate, announces changes that no Kafka offset protects (the outbox), and sweeps
 * (unsettled doubt past its deadline, expired codes, partitions made ahead).
 */
#ifndef SENDCODE_WORKER_CHORES_H
#define SENDCODE_WORKER_CHORES_H

#include "common/base.h"
#include "worker/ports/events.h"
#include "worker/ports/outcomes.h"

#define CHORES_OUTBOX_MAX 256 /* rows taken at a time */

/* Tickets of events from the outbox: this bit and the row's id. */
#define CHORES_TICKET (UINT64_C(1) << 63)

struct loop;
struct loop_timer;
struct rate_cap;

struct chores {
    struct outcomes *outcomes;
    struct events *events;
    struct rate_cap *rate;
    struct loop *loop;
    struct loop_timer *outbox_timer, *sweep_timer, *share_timer;
    bool outbox_due, sweep_due, share_due;
    int64_t done[CHORES_OUTBOX_MAX]; /* acknowledged rows, to be deleted */
    size_t n_done;
    size_t n_unacked;
    void (*wake)(void *arg);
    void *arg;
};

/* The share is asked for at once: without one nothing is claimed. */
void chores_init(struct chores *c, struct loop *l, struct outcomes *outcomes, struct events *events,
                 struct rate_cap *rate, void (*wake)(void *arg), void *arg);
void chores_free(struct chores *c);

/* Asks for what is due, when nothing else is under way. */
void chores_pump(struct chores *c);
void chores_on_outbox(struct chores *c, const struct outbox_row *rows, size_t n);
void chores_on_published(struct chores *c, uint64_t ticket);
void chores_on_swept(struct chores *c);

#endif

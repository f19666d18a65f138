/*
 * Fetches receipts: the account's queue for each application in use (PullSmsSendStatus), and by
 * number those that are overdue. One worker at a time does, by a lease. The queue hands each
 * receipt out once, so what was pulled is stored before anything else is asked for; a worker that
 * dies in between has lost it, and it comes back only by number.
 */
#ifndef SENDCODE_WORKER_RECEIPT_FETCH_H
#define SENDCODE_WORKER_RECEIPT_FETCH_H

#include "common/backoff.h"
#include "common/base.h"
#include "common/domain/phone.h"
#include "common/log.h"
#include "worker/ports/receipts.h"

#define FETCH_SCENE_MAX 64

struct arena;
struct loop;
struct loop_timer;
struct meters;
struct settings;

enum fetch_step {
    FETCH_RESTS,   /* until the next round */
    FETCH_GOES_ON, /* what is next is decided at the next turn */
    FETCH_LEASES,  /* the database is asked: is it ours? */
    FETCH_TAKES,   /* … which are overdue? */
    FETCH_ASKS,    /* the provider */
    FETCH_HOLDS,   /* receipts that are not stored */
    FETCH_STORES,
};

/* The two ways of asking: one may fail for good while the other works. */
struct fetch_way {
    struct backoff backoff;
    int64_t not_before_us; /* boot clock */
    bool heard, failed;    /* in this round */
    struct log_gate refused;
};

struct fetch_overdue {
    char phone[PHONE_MAX + 1];
    char scene[FETCH_SCENE_MAX];
    int64_t accepted_us;
};

struct receipt_fetch {
    struct loop *loop;
    struct receipts_db *db;
    struct receipts_provider *provider;
    const struct settings *settings;
    struct meters *meters;
    struct loop_timer *timer; /* the next round, or the end of a pause */
    void (*wake)(void *arg);
    void *arg;
    bool draining;

    enum fetch_step step;
    int64_t ask_after_us, store_after_us; /* boot clock */
    int64_t lease_until_us;
    struct fetch_way ways[RECEIPT_SOURCE_COUNT];
    size_t app; /* whose queue is next in this round, which a failure makes longer */
    bool taken; /* the overdue ones, in this round */
    bool more;  /* there are more of them */
    struct fetch_overdue overdue[OVERDUE_MAX];
    size_t n_overdue, next_overdue;
    size_t overdue_app; /* the next application that the scene of the next one may have used */

    enum receipt_source source; /* of what is asked for, held or stored */
    struct arena *arena;        /* the held ones live there */
    struct receipt *held;
    size_t n_held;
    struct log_gate quarantined;
};

/* The ports must be set before it is started. */
void receipt_fetch_init(struct receipt_fetch *f, struct loop *l, const struct settings *s,
                        struct meters *meters, void (*wake)(void *arg), void *arg);
void receipt_fetch_start(struct receipt_fetch *f, struct receipts_db *db,
                         struct receipts_provider *provider);
void receipt_fetch_free(struct receipt_fetch *f);

/* Does what is next, with the database's connection or without. */
void receipt_fetch_pump(struct receipt_fetch *f);
/* Nothing is on its way that would be lost. */
bool receipt_fetch_is_done(const struct receipt_fetch *f);

void receipt_fetch_on_leased(struct receipt_fetch *f, bool ours, int64_t asked_us);
void receipt_fetch_on_overdue(struct receipt_fetch *f, const struct overdue *rows, size_t n);
void receipt_fetch_on_answered(struct receipt_fetch *f, const struct receipts_answer *a);
void receipt_fetch_on_stored(struct receipt_fetch *f, bool kept);

#endif

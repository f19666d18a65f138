/*
 * A record on its way through the worker: from the jobs topic until its offset is done.
 * Where it is on that way is the list it stands in (enum place); flight_move is the one function
 * that changes it. Ports know it by its ticket.
 */
#ifndef SENDCODE_WORKER_FLIGHT_H
#define SENDCODE_WORKER_FLIGHT_H

#include <uthash.h>

#include "common/backoff.h"
#include "common/base.h"
#include "common/domain/job.h"
#include "worker/offsets.h"
#include "worker/ports/jobs_source.h"
#include "worker/ports/outcomes.h"
#include "worker/ports/sender.h"

struct arena;
struct held;
struct loop_timer;
struct partition;
struct settings_use;

enum place {
    PLACE_WAITING,    /* its partition has no epoch yet */
    PLACE_READY,      /* to be claimed */
    PLACE_CLAIMING,   /* asked for */
    PLACE_SENDING,    /* claimed; the request is at the provider's */
    PLACE_UNRECORDED, /* has an outcome */
    PLACE_RECORDING,
    PLACE_HELD,       /* retry, busy phone, stopped scene: until its timer or a wake */
    PLACE_ANNOUNCING, /* its event is not acknowledged yet */
    PLACE_BURYING,    /* its dead letter is not acknowledged yet */
    PLACE_UNNOTED,    /* invalid or a gap: to be filed */
    PLACE_NOTING,
    PLACE_COUNT
};

/* Why a held flight is held. */
enum hold { HOLD_NONE, HOLD_RETRY, HOLD_BUSY, HOLD_OWNER, HOLD_STOPPED, HOLD_UNRECORDED };

struct flight {
    uint64_t ticket;
    enum place place;
    struct flight *prev, *next; /* of its place's list */
    UT_hash_handle hh;

    struct partition *part; /* NULL once the partition is no longer ours */
    struct offset_mark mark;
    int32_t partition;
    int64_t epoch;        /* of the last claim asked for */
    int64_t lease;        /* a parked job's, which takes the place of an offset; else 0 */
    int64_t day_us;       /* parked: part of its row's key */
    int32_t incarnation;  /* parked: of its record */
    int64_t met_us;       /* boot clock */
    int64_t published_us; /* Unix microseconds; -1 unknown */

    struct arena *arena; /* holds the record's bytes and the job */
    size_t bytes;        /* as counted in flights.bytes */
    struct record record;
    struct job job;
    struct settings_use *settings; /* what job.scene points into */
    enum job_fault fault;          /* not JOB_OK: goes to the dead letters */
    uint64_t after_gap;            /* the gap before it: it is claimed only when that is noted */
    int64_t gap_end;               /* a run of skipped offsets: its end; else 0 */

    int64_t asked_us;      /* boot clock, before the claim was asked for */
    int64_t gate_until_us; /* boot clock: start budget and deadline */
    bool gated;            /* this attempt was let through */
    bool trial;            /* sent to see whether a stop is over */
    bool over;             /* claimed to be ended: it has no place to send, and no token */
    int32_t attempt;
    bool odd;         /* what is stored of it contradicts itself, and this was said */
    bool after_doubt; /* an earlier attempt may have been sent, for all that this flight knows */

    struct outcome outcome; /* its texts point into result and job */
    struct send_result result;
    int64_t entered_us; /* boot clock: when it came to its place, for the histograms */

    enum hold hold;
    struct held *held;                      /* where it is held */
    struct loop_timer *timer;               /* made when first held */
    struct flight *phone_prev, *phone_next; /* of the list of those waiting for one phone */
    struct backoff retry, busy; /* between tries; between questions whether the phone is free */
    int64_t retry_wait_us;      /* how long to hold after `retry` is recorded */
    bool resigned; /* its last refusal was for the timestamp, within the signature's life */
};

struct flights {
    struct flight *at[PLACE_COUNT];
    size_t count[PLACE_COUNT];
    struct flight *by_ticket;
    uint64_t last_ticket;
    size_t bytes; /* of records: in arenas, and in dead letters under way */
};

/* In PLACE_WAITING, with a ticket and an arena. Out of memory aborts: the record stays in Kafka. */
NODISCARD struct flight *flight_new(struct flights *all);

/* Moves to the end of the place's list. */
void flight_move(struct flights *all, struct flight *f, enum place to);

/* NULL when there is none: answers may come late. */
struct flight *flight_get(struct flights *all, uint64_t ticket);

/* Copies the record's bytes into the flight's arena. False: no memory. */
NODISCARD bool flight_keep_record(struct flights *all, struct flight *f, const struct record *rec);

/* Bytes that somebody else holds on its behalf; counted until it is freed. */
void flight_count_bytes(struct flights *all, struct flight *f, size_t bytes);

void flight_free(struct flights *all, struct flight *f);

#endif

/*
 * What the pipeline's parts share. Stages report to the pipeline (pipeline_on_*) and never call
 * each other; the pipeline moves flights on.
 */
#ifndef SENDCODE_WORKER_PIPELINE_PARTS_H
#define SENDCODE_WORKER_PIPELINE_PARTS_H

#include "common/window.h"
#include "worker/chores.h"
#include "worker/flight.h"
#include "worker/held.h"
#include "worker/meters.h"
#include "worker/ownership.h"
#include "worker/parked.h"
#include "worker/pipeline.h"
#include "worker/rate_cap.h"
#include "worker/settling.h"
#include "worker/stops.h"

#define PARTITIONS_MAX 1024   /* in one epoch request or commit */
#define BYTES_MAX (64u << 20) /* of records in memory */
#define UNACKED_MAX 4096      /* events and dead letters not yet acknowledged */
#define SETTLING_MAX 2048     /* flights that are no jobs (dead letters, gaps) under way */

struct pipeline {
    struct loop *loop;
    struct ports ports;
    struct settings_use *settings;
    struct health *health;
    struct meters *meters;
    struct flights flights;
    struct ownership ownership;
    struct window window;
    struct rate_cap rate;
    struct stops stops;
    struct held held;
    struct chores chores;
    struct parked parked;
    struct settling settling;

    struct loop_timer *tick; /* commits, gauges */
    struct loop_timer *epoch_timer;
    struct loop_timer *probe_timer;
    struct loop_timer *rate_timer; /* the next claims may go */
    struct pipeline_fatal fatal;
    bool schema_good; /* seen once: a schema fault later is waited out */
    bool started;
    bool pump_deferred;
    bool gone;                   /* freed but for its own memory, which the deferred pump frees */
    int64_t wall_wrong_until_us; /* boot clock: the database contradicted our wall clock */
    bool chores_first;           /* outcomes were recorded last */
    bool parked_first;           /* among the chores */
    bool notes_first;            /* and were no notes */
    size_t allowed;              /* credit last given to the source */
    bool committing;
    struct source_offset commit[PARTITIONS_MAX]; /* the one under way */
    size_t n_commit;

    bool draining; /* no intake, no new claims */
    bool closing;  /* the source was told to leave */
    void (*drained)(void *arg);
    void *drained_arg;
};

/* Runs the stages at the end of this turn of the loop. */
void pipeline_wake(struct pipeline *p);

/* --- intake.c --- */
void intake_on_assigned(void *arg, const int32_t *partitions, size_t n);
size_t intake_on_revoked(void *arg, const int32_t *partitions, size_t n, bool lost,
                         struct source_offset *commit);
void intake_on_record(void *arg, const struct record *rec);
/* Unhooks it from its partition, its hold and its phone; it may still be under way. */
void intake_let_go(struct pipeline *p, struct flight *f);
/* How many more records the worker may take in now. */
size_t intake_room(const struct pipeline *p);

/* --- claiming.c --- */
void claiming_pump(struct pipeline *p); /* PLACE_READY → PLACE_CLAIMING */
/* How many more jobs could be claimed now than are ready. */
size_t claiming_room(const struct pipeline *p);
void claiming_on_epochs(void *arg, const struct epoch_answer *answers, size_t n);
void claiming_on_answers(void *arg, const struct claim_answer *answers, size_t n);

/* --- sending.c --- */
void sending_start(struct pipeline *p, struct flight *f, const struct claim_answer *a);
bool sending_on_gate(void *arg, uint64_t ticket);
void sending_on_result(void *arg, uint64_t ticket, const struct send_result *r);

/* --- recording.c --- */
/* PLACE_UNRECORDED, PLACE_UNNOTED → recording, noting. True when something was asked for. */
bool recording_pump(struct pipeline *p);
void recording_on_answers(void *arg, const struct outcome_answer *answers, size_t n);
void recording_on_noted(void *arg, const uint64_t *tickets, size_t n);

/* --- announcing.c --- */
/* Publishes; tracked: the flight's offset is done when it is acknowledged. */
void announcing_publish(struct pipeline *p, struct flight *f, const struct job_status *s,
                        bool tracked);
void announcing_bury(struct pipeline *p, struct flight *f, const struct record *rec);
void announcing_on_published(void *arg, uint64_t ticket);

/* --- pipeline.c: what the stages report --- */
void pipeline_on_claimed(struct pipeline *p, struct flight *f, const struct claim_answer *a);
void pipeline_on_outcome(struct pipeline *p, struct flight *f);
void pipeline_on_recorded(struct pipeline *p, struct flight *f, const struct outcome_answer *a);
void pipeline_on_published(struct pipeline *p, struct flight *f);
/* The record is finished: its offset is done, the flight is gone. */
void pipeline_finish(struct pipeline *p, struct flight *f);
/* To be claimed as soon as its partition has an epoch. */
void pipeline_make_ready(struct pipeline *p, struct flight *f);
void pipeline_hold(struct pipeline *p, struct flight *f, enum hold why, int64_t wait_us);

#endif

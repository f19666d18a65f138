/*
 * The pipeline: what follows what. Each stage does its work and reports here; here the flight is
 * moved on, and nowhere else.
 */
#include "common/clock.h"
#include "common/crashpoint.h"
#include "common/loop.h"
#include "common/metrics.h"
#include "common/settings/settings.h"
#include "worker/joblog.h"
#include "worker/pipeline_parts.h"

#define ODD_ROW_WAIT_US (30 * US_PER_S)
#define PARKED_AGAIN_US (1 * US_PER_S) /* before somebody takes it again, if it is not final */

size_t pipeline_under_way(const struct pipeline *p)
{
    const size_t *count = p->flights.count;
    return count[PLACE_CLAIMING] + count[PLACE_SENDING] + count[PLACE_UNRECORDED] +
           count[PLACE_RECORDING] + count[PLACE_ANNOUNCING] + count[PLACE_BURYING] +
           count[PLACE_UNNOTED] + count[PLACE_NOTING];
}

void pipeline_make_ready(struct pipeline *p, struct flight *f)
{
    bool has_epoch = f->lease != 0 || (f->part && f->part->epoch != 0);
    flight_move(&p->flights, f, has_epoch ? PLACE_READY : PLACE_WAITING);
    pipeline_wake(p);
}

/* Its row keeps it, or lets it go when it is final. */
static void finish_parked(struct pipeline *p, struct flight *f, int64_t wait_us)
{
    parked_give_back(p, f->job.job_id, f->day_us, f->lease, wait_us);
    flight_free(&p->flights, f);
    pipeline_wake(p);
}

/* A held job asks again at its deadline at the latest: the database then ends it as expired. */
void pipeline_hold(struct pipeline *p, struct flight *f, enum hold why, int64_t wait_us)
{
    if (f->lease) {
        finish_parked(p, f, wait_us);
        return;
    }
    int64_t to_deadline = f->job.deadline_us - clock_wall_us();
    if (to_deadline > 0)
        wait_us = MIN(wait_us, to_deadline + 100 * US_PER_MS);
    flight_move(&p->flights, f, PLACE_HELD);
    f->hold = why;
    held_add(&p->held, f, wait_us);
    pipeline_wake(p);
}

void pipeline_finish(struct pipeline *p, struct flight *f)
{
    if (f->lease) {
        finish_parked(p, f, PARKED_AGAIN_US);
        return;
    }
    if (f->part)
        offsets_done(&f->part->offsets, &f->mark);
    CRASHPOINT("offset_done");
    flight_free(&p->flights, f);
    pipeline_wake(p);
}

/* It is decided or known: its state is announced, then its offset is done. */
static void announce_and_finish(struct pipeline *p, struct flight *f, const struct job_status *s)
{
    if (!s->job_id || s->state == JOB_CLAIMED) {
        pipeline_finish(p, f);
        return;
    }
    flight_move(&p->flights, f, PLACE_ANNOUNCING);
    announcing_publish(p, f, s, true);
}

static void refuse(struct pipeline *p, struct flight *f, enum job_fault fault)
{
    if (f->lease) {
        joblog_odd(f->job.job_id);
        finish_parked(p, f, ODD_ROW_WAIT_US);
        return;
    }
    f->fault = fault;
    flight_move(&p->flights, f, PLACE_BURYING);
    announcing_bury(p, f, &f->record);
}

/* Its row stayed claimed: to be met again by a claim, as a redelivered record is. */
static void look_again(struct pipeline *p, struct flight *f)
{
    if (f->part)
        pipeline_make_ready(p, f);
    else
        pipeline_finish(p, f);
}

/* Its row was edited by hand, perhaps: left as it is until somebody mends it. */
static void leave_odd(struct pipeline *p, struct flight *f, enum hold hold, const char *why)
{
    if (!f->odd)
        joblog_odd_row(f, pipeline_settings(p)->topics.jobs, why);
    f->odd = true;
    if (f->part || f->lease)
        pipeline_hold(p, f, hold, ODD_ROW_WAIT_US);
    else
        pipeline_finish(p, f);
}

void pipeline_on_claimed(struct pipeline *p, struct flight *f, const struct claim_answer *a)
{
    bool orphan = f->part == NULL && f->lease == 0;
    switch (a->verdict) {
    case CLAIM_SEND:
        if (f->lease)
            CRASHPOINT("parked_retry_claimed");
        metric_add(p->meters->jobs[JOB_CLAIMED], 1);
        sending_start(p, f, a);
        return;
    case CLAIM_DECIDED:
        metric_add(p->meters->jobs[a->status.state], 1);
        joblog_outcome(f, &a->status);
        announce_and_finish(p, f, &a->status);
        return;
    case CLAIM_DUPLICATE:
        metric_add(p->meters->duplicate, 1);
        announce_and_finish(p, f, &a->status);
        return;
    case CLAIM_KNOWN:
        /* While it waited here for its retry, a newer job's claim took its place. */
        if (f->attempt > 0 && a->status.state == JOB_SUPERSEDED) {
            metric_add(p->meters->jobs[JOB_SUPERSEDED], 1);
            joblog_outcome(f, &a->status);
        }
        announce_and_finish(p, f, &a->status);
        return;
    case CLAIM_FUTURE:
        refuse(p, f, JOB_FAULT_FUTURE);
        return;
    case CLAIM_ROW_REFUSED:
        refuse(p, f, JOB_FAULT_REFUSED_ROW);
        return;
    case CLAIM_ROW_ODD:
        leave_odd(p, f, HOLD_RETRY, a->why);
        return;
    case CLAIM_FENCED:
        if (f->part)
            ownership_on_fenced(f->part, f->epoch, loop_now_us(p->loop));
        look_again(p, f);
        return;
    case CLAIM_BUSY:
    case CLAIM_WAIT:
        if (orphan)
            pipeline_finish(p, f);
        else if (a->verdict == CLAIM_BUSY)
            pipeline_hold(p, f, HOLD_BUSY, backoff_next_us(&f->busy));
        else
            pipeline_hold(p, f, HOLD_OWNER, a->wait_us);
        return;
    }
    panic("claim verdict %d", (int)a->verdict);
}

void pipeline_on_outcome(struct pipeline *p, struct flight *f)
{
    flight_move(&p->flights, f, PLACE_UNRECORDED);
    pipeline_wake(p);
}

void pipeline_on_recorded(struct pipeline *p, struct flight *f, const struct outcome_answer *a)
{
    const struct job_status *s = &a->status;
    if (a->duplicate_send) {
        metric_add(p->meters->duplicate_sends, 1);
        joblog_duplicate_send(f);
    }
    held_wake_phone(&p->held, f->job.phone);
    if (a->refused_row) {
        joblog_not_recorded(f, a->why);
        look_again(p, f);
        return;
    }
    if (a->odd_row) {
        leave_odd(p, f, HOLD_UNRECORDED, a->why);
        return;
    }
    if (a->applied && s->job_id) {
        metric_add(p->meters->jobs[s->state], 1);
        joblog_outcome(f, s);
    }
    if (s->job_id && s->state == JOB_RETRY && (f->part || f->lease)) {
        announcing_publish(p, f, s, false);
        CRASHPOINT("retry_recorded");
        pipeline_hold(p, f, HOLD_RETRY, f->retry_wait_us);
        return;
    }
    if (!a->applied && s->job_id && s->state == JOB_CLAIMED) {
        if (f->part)
            ownership_on_fenced(f->part, f->epoch, loop_now_us(p->loop));
        look_again(p, f);
        return;
    }
    announce_and_finish(p, f, s);
}

void pipeline_on_published(struct pipeline *p, struct flight *f)
{
    if (f->place == PLACE_BURYING) {
        CRASHPOINT("dead_letter_acked");
        flight_move(&p->flights, f, PLACE_UNNOTED);
        pipeline_wake(p);
        return;
    }
    CRASHPOINT("event_acked");
    pipeline_finish(p, f);
}

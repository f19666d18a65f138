/*
 * Claims: epochs for new partitions first, then as many ready jobs as there are free places to
 * send them. A claimed job is about to be sent, so that a crash leaves few in doubt.
 */
#include <string.h>

#include "common/clock.h"
#include "common/crashpoint.h"
#include "common/crypto/code.h"
#include "common/domain/phone.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/metrics.h"
#include "common/settings/settings.h"
#include "worker/pipeline_parts.h"

/* Results kept while the database is away, for each place to send. */
#define UNRECORDED_PER_PLACE 4
#define WALL_DISTRUST_US (60 * US_PER_S)

static bool ask_for_epochs(struct pipeline *p)
{
    struct epoch_ask asks[PARTITIONS_MAX];
    int64_t now = loop_now_us(p->loop);
    if (p->ownership.asking)
        return true;
    size_t n = ownership_wanted(&p->ownership, now, asks, PARTITIONS_MAX);
    if (n > 0) {
        p->ownership.asking = true;
        p->ports.claims->take_epochs(p->ports.claims->self, asks, n);
        CRASHPOINT("epochs_asked");
        return true;
    }
    int64_t wait = ownership_next_us(&p->ownership, now);
    if (wait >= 0)
        loop_timer_start(p->epoch_timer, wait);
    return false;
}

void claiming_on_epochs(void *arg, const struct epoch_answer *answers, size_t n)
{
    struct pipeline *p = arg;
    CRASHPOINT("epochs_taken");
    p->ownership.asking = false;
    for (size_t i = 0; i < n; i++) {
        struct partition *part = ownership_on_epoch(&p->ownership, &answers[i]);
        if (part && !part->started) {
            part->started = true;
            p->ports.source->start(p->ports.source->self, part->id);
        }
    }
    for (size_t waiting = p->flights.count[PLACE_WAITING]; waiting > 0; waiting--)
        pipeline_make_ready(p, p->flights.at[PLACE_WAITING]);
    pipeline_wake(p);
}

/* How many more jobs may be claimed now. */
static size_t free_places(const struct pipeline *p)
{
    const size_t *count = p->flights.count;
    size_t under_way = count[PLACE_CLAIMING] + count[PLACE_SENDING];
    size_t unrecorded = count[PLACE_UNRECORDED] + count[PLACE_RECORDING];
    size_t unrecorded_max = UNRECORDED_PER_PLACE * (size_t)p->window.max;
    if (under_way >= p->window.size || unrecorded + under_way >= unrecorded_max ||
        p->ports.events->unacked(p->ports.events->self) >= UNACKED_MAX)
        return 0;
    return MIN(p->window.size - under_way, (size_t)CLAIM_BATCH_MAX);
}

/* How many of the ready ones, in time with our share of the account's rate. */
static size_t let_through(struct pipeline *p)
{
    size_t wanted = MIN(free_places(p), p->flights.count[PLACE_READY]);
    size_t n = rate_cap_let(&p->rate, wanted, loop_now_us(p->loop));
    int64_t wait = n == 0 && wanted > 0 ? rate_cap_wait_us(&p->rate, wanted) : -1;
    if (wait >= 0)
        loop_timer_start(p->rate_timer, wait);
    return n;
}

size_t claiming_room(const struct pipeline *p)
{
    size_t places = free_places(p), ready = p->flights.count[PLACE_READY];
    return places > ready ? places - ready : 0;
}

/* The candidate for a new code; the database says whether it or an older one is sent. */
static void make_candidate(struct pipeline *p, struct claim_ask *ask)
{
    const struct settings *s = pipeline_settings(p);
    const struct job *job = ask->job;
    char code[CODE_MAX_LENGTH + 1];
    crypto_random(ask->nonce, sizeof(ask->nonce));
    code_derive(s->secrets.code.keys[0].bytes, ask->nonce, job->phone, job->scene_name,
                (unsigned)job->scene->code_length, code);
    code_proof(s->secrets.verify.keys[0].bytes, job->phone, job->scene_name, code, ask->proof);
    memcpy(ask->key_id, s->secrets.code.keys[0].id, sizeof(ask->key_id));
    mem_wipe(code, sizeof(code));
}

static void fill_ask(struct pipeline *p, struct flight *f, struct claim_ask *ask)
{
    const struct scene *scene = f->job.scene;
    bool allowed = phone_in_countries(f->job.phone, scene->country_codes, scene->n_country_codes);
    if (f->part)
        f->epoch = f->part->epoch;
    *ask = (struct claim_ask){
        .ticket = f->ticket,
        .job = &f->job,
        .partition = f->partition,
        .incarnation = f->part ? f->part->incarnation : f->incarnation,
        .offset = f->mark.offset,
        .epoch = f->epoch,
        .refusal = allowed ? REASON_NONE : REASON_COUNTRY,
    };
    make_candidate(p, ask);
}

/* May this job be asked for now? A job whose deadline is over may: the database ends it. */
static bool passes_stops(struct pipeline *p, struct flight *f)
{
    if (f->trial)
        return true;
    switch (stops_ask(&p->stops, f->job.scene_name, loop_now_us(p->loop))) {
    case STOP_GO:
        return true;
    case STOP_TRIAL:
        f->trial = true;
        return true;
    case STOP_HOLD:
        if (f->job.deadline_us < clock_wall_us())
            return true;
        pipeline_hold(p, f, HOLD_STOPPED, pipeline_settings(p)->tencent.probe_interval * US_PER_S);
        return false;
    }
    panic("stop answer out of range");
}

/* Claimed before the gap in front of it is noted, it would hide the gap after a crash. */
static bool waits_for_gap(struct pipeline *p, const struct flight *f)
{
    return f->after_gap != 0 && flight_get(&p->flights, f->after_gap) != NULL;
}

/*
 * Jobs whose deadline is before this are over, as far as our wall clock can be trusted: the
 * database will end them. They take no place, or after a long outage a narrow window would let the
 * backlog end so slowly that all that follows it is too late as well.
 */
static int64_t over_before_us(const struct pipeline *p)
{
    bool may = loop_now_us(p->loop) >= p->wall_wrong_until_us &&
               p->ports.events->unacked(p->ports.events->self) < UNACKED_MAX;
    return may ? clock_wall_us() : INT64_MIN;
}

void claiming_pump(struct pipeline *p)
{
    struct claim_ask asks[CLAIM_BATCH_MAX];
    /* Epochs also while draining: what is to be noted waits for them. */
    if (!p->ports.claims->can_ask(p->ports.claims->self) || ask_for_epochs(p) || p->draining ||
        !p->ports.sender->is_ready(p->ports.sender->self))
        return;
    size_t room = let_through(p);
    size_t n = 0;
    int64_t now = clock_boot_us();
    size_t placed = 0;
    int64_t over_before = over_before_us(p);
    struct flight *f = p->flights.at[PLACE_READY];
    while (f && n < CLAIM_BATCH_MAX) {
        struct flight *next = f->next;
        f->over = f->job.deadline_us < over_before;
        if (!waits_for_gap(p, f) && (f->over || (placed < room && passes_stops(p, f)))) {
            placed += !f->over;
            f->asked_us = now;
            metric_observe_us(p->meters->stage[STAGE_WAIT], now - f->entered_us);
            f->entered_us = now;
            fill_ask(p, f, &asks[n++]);
            flight_move(&p->flights, f, PLACE_CLAIMING);
        }
        f = next;
    }
    rate_cap_take(&p->rate, placed);
    if (n > 0) {
        p->ports.claims->claim(p->ports.claims->self, asks, n);
        CRASHPOINT("claim_asked");
    }
    mem_wipe(asks, n * sizeof(asks[0]));
}

void claiming_on_answers(void *arg, const struct claim_answer *answers, size_t n)
{
    struct pipeline *p = arg;
    int64_t now = loop_now_us(p->loop);
    CRASHPOINT("claim_answered");
    for (size_t i = 0; i < n; i++) {
        struct flight *f = flight_get(&p->flights, answers[i].ticket);
        if (!f || f->place != PLACE_CLAIMING)
            panic("a claim was answered that was not asked for");
        metric_observe_us(p->meters->stage[STAGE_CLAIM], now - f->entered_us);
        f->entered_us = now;
        if (f->trial && answers[i].verdict != CLAIM_SEND) {
            f->trial = false;
            stops_on_trial_over(&p->stops, f->job.scene_name, now);
        }
        if (f->over && answers[i].verdict == CLAIM_SEND)
            p->wall_wrong_until_us = now + WALL_DISTRUST_US;
        if (!f->over && answers[i].verdict != CLAIM_SEND)
            rate_cap_give_back(&p->rate);
        pipeline_on_claimed(p, f, &answers[i]);
    }
    pipeline_wake(p);
}

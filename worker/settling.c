/* A doubt goes from the provider to the database, one step at a time; then its place is free. */
#include "worker/settling.h"

#include <string.h>

#include "common/crashpoint.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/metrics.h"
#include "common/settings/settings.h"
#include "worker/joblog.h"
#include "worker/pipeline_parts.h"
#include "worker/provider_verdict.h"

#define SAID_EVERY_US (60 * US_PER_S)
#define ARENA_FIRST_BLOCK 512
/* Records are asked for from so long before the claim: the clocks agree to a few seconds. */
#define SLACK_US (10 * US_PER_S)

void settling_init(struct settling *s)
{
    *s = (struct settling){.refused = {.period_us = SAID_EVERY_US}};
}

void settling_free(struct settling *s)
{
    for (size_t i = 0; i < QUERIES_MAX; i++)
        arena_free(s->doubts[i].arena);
}

uint32_t settling_room(const struct pipeline *p)
{
    uint32_t room = 0;
    if (!p->ports.sender->is_ready(p->ports.sender->self))
        return 0;
    for (size_t i = 0; i < QUERIES_MAX; i++)
        room += p->settling.doubts[i].step == DOUBT_FREE;
    return room;
}

static struct doubt *find(struct settling *s, uint64_t ticket, enum doubt_step step)
{
    for (size_t i = 0; i < QUERIES_MAX; i++) {
        struct doubt *d = &s->doubts[i];
        if (d->step == step && d->settlement.ticket == ticket)
            return d;
    }
    panic("an answer about a doubt that is not at step %d", (int)step);
}

static const char *keep(struct doubt *d, const char *text)
{
    const char *kept = arena_strndup(d->arena, text, strlen(text));
    if (!kept)
        panic("out of memory for a job in doubt; it stays in the database");
    return kept;
}

static void end(struct pipeline *p, struct doubt *d)
{
    arena_free(d->arena);
    *d = (struct doubt){.step = DOUBT_FREE};
    pipeline_wake(p);
}

void settling_begin(struct pipeline *p, const struct parked_job *job, int64_t asked_us)
{
    struct settling *s = &p->settling;
    const struct settings *settings = pipeline_settings(p);
    const struct scene *scene = settings_scene(settings, job->scene, job->locale);
    struct doubt *d = s->doubts;
    while (d < s->doubts + QUERIES_MAX && d->step != DOUBT_FREE)
        d++;
    if (d == s->doubts + QUERIES_MAX)
        panic("more doubts than were asked for");
    d->step = DOUBT_ASKED;
    d->taken_us = asked_us;
    d->arena = arena_new(ARENA_FIRST_BLOCK);
    if (!d->arena)
        panic("out of memory for a job in doubt; it stays in the database");
    d->settlement = (struct settlement){
        .ticket = ++s->last_ticket,
        .job_id = keep(d, job->job_id),
        .day_us = job->day_us,
        .lease = job->lease,
        .attempt = job->attempt,
    };
    const struct records_query query = {
        .phone = job->phone,
        .sdk_app_id = scene ? scene->sdk_app_id : settings->tencent.sdk_app_id,
        .since_us = asked_us - job->claimed_ago_us - SLACK_US,
    };
    p->ports.sender->query_records(p->ports.sender->self, d->settlement.ticket, &query);
    CRASHPOINT("records_asked");
}

static void keep_records(struct doubt *d, const struct records_answer *a)
{
    struct settlement_record *kept = arena_alloc(d->arena, (a->n + 1) * sizeof(*kept));
    if (!kept)
        panic("out of memory for a job in doubt; it stays in the database");
    for (size_t i = 0; i < a->n; i++) {
        const struct send_record *r = &a->records[i];
        const struct code_meaning refused = provider_code_meaning(r->code);
        kept[i] = (struct settlement_record){
            .serial_no = keep(d, r->serial_no),
            .after_take_us = r->at_us - d->taken_us,
            .accepted = r->accepted,
            .state = r->accepted ? JOB_SENT : refused.state,
            .reason = r->accepted ? REASON_NONE : refused.reason,
            .provider_code = keep(d, r->code),
        };
    }
    d->settlement.records = kept;
    d->settlement.n_records = a->n;
}

/* An account that may not ask can end doubt only as unknown: an operator must know. */
static void say_refused(struct settling *s, const char *code)
{
    int64_t dropped = 0;
    if (!code[0]) {
        if (log_gate_reset(&s->refused))
            log_info("the provider tells its send records again");
        return;
    }
    if (log_gate_open(&s->refused, &dropped))
        log_warn("the provider refuses to tell its send records; doubt stays open",
                 LS("code", code), LI("dropped", dropped));
}

void settling_on_records(void *arg, uint64_t ticket, const struct records_answer *a)
{
    struct pipeline *p = arg;
    struct doubt *d = find(&p->settling, ticket, DOUBT_ASKED);
    CRASHPOINT("records_answered");
    if (a->whole || a->code[0])
        say_refused(&p->settling, a->code);
    d->settlement.whole = a->whole;
    d->settlement.why = a->whole ? NULL : keep(d, a->why);
    keep_records(d, a);
    d->step = DOUBT_ANSWERED;
    pipeline_wake(p);
}

void settling_pump(struct pipeline *p)
{
    struct outcomes *o = p->ports.outcomes;
    if (!o->can_ask(o->self))
        return;
    for (size_t i = 0; i < QUERIES_MAX; i++) {
        struct doubt *d = &p->settling.doubts[i];
        if (d->step != DOUBT_ANSWERED)
            continue;
        d->step = DOUBT_SETTLING;
        o->settle(o->self, &d->settlement);
        CRASHPOINT("settle_asked");
        return;
    }
}

void settling_on_settled(void *arg, const struct settlement_answer *a)
{
    struct pipeline *p = arg;
    struct doubt *d = find(&p->settling, a->ticket, DOUBT_SETTLING);
    const struct job_status *s = &a->status;
    bool ended = a->how == SETTLED_SENT || a->how == SETTLED_REFUSED || a->how == SETTLED_UNSENT;
    CRASHPOINT("settled");
    metric_add(p->meters->settled[a->how], 1);
    if (a->how == SETTLED_ODD)
        joblog_odd(d->settlement.job_id);
    if (ended && s->job_id) {
        joblog_settled(s, a->how);
        if (s->state != JOB_UNKNOWN)
            metric_add(p->meters->jobs[s->state], 1);
        held_wake_phone(&p->held, s->phone);
    }
    end(p, d);
}

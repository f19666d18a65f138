/* Leases: taken once a second, given back a batch a call; one that is kept lapses by itself. */
#include "worker/parked.h"

#include <stdio.h>
#include <string.h>

#include "common/backoff.h"
#include "common/clock.h"
#include "common/crashpoint.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/settings/settings.h"
#include "worker/pipeline_parts.h"
#include "worker/settings_use.h"

#define TAKE_EVERY_US (1 * US_PER_S)
#define RETRIES_MAX 32  /* taken at a time */
#define RETRIES_LEAST 8 /* that may wait behind a backlog */
#define NO_SCENE_WAIT_US (30 * US_PER_S)
/* The provider's times are reckoned from the taking: an answer later than this is not used. */
#define ANSWER_MAX_US (2 * US_PER_S)

static void start_timer(struct pipeline *p)
{
    loop_timer_start(p->parked.timer, backoff_spread_us(TAKE_EVERY_US));
}

static void on_timer(void *arg)
{
    struct pipeline *p = arg;
    p->parked.due = true;
    pipeline_wake(p);
    start_timer(p);
}

void parked_init(struct pipeline *p)
{
    p->parked.timer = loop_timer_new(p->loop, on_timer, p);
    start_timer(p);
}

void parked_free(struct pipeline *p)
{
    loop_timer_free(p->parked.timer);
}

void parked_give_back(struct pipeline *p, const char *job_id, int64_t day_us, int64_t lease,
                      int64_t wait_us)
{
    struct parked *k = &p->parked;
    if (k->n_releases == RELEASES_MAX)
        return;
    struct parked_release *r = &k->releases[k->n_releases++];
    *r = (struct parked_release){.day_us = day_us, .lease = lease, .wait_us = wait_us};
    snprintf(r->job_id, sizeof(r->job_id), "%s", job_id);
    pipeline_wake(p);
}

static size_t waiting_retries(const struct pipeline *p)
{
    size_t n = 0;
    for (const struct flight *f = p->flights.at[PLACE_READY]; f; f = f->next)
        n += f->lease != 0;
    return n;
}

/* Under a backlog no place is ever free: some line up behind those that are ready all the same. */
static uint32_t room_for_retries(const struct pipeline *p)
{
    size_t in_line = RETRIES_LEAST - MIN(waiting_retries(p), (size_t)RETRIES_LEAST);
    size_t room = MAX(claiming_room(p), in_line);
    if (stops_account_is_stopped(&p->stops) || !p->ports.sender->is_ready(p->ports.sender->self))
        return 0;
    return (uint32_t)MIN(room, (size_t)RETRIES_MAX);
}

void parked_pump(struct pipeline *p)
{
    struct parked *k = &p->parked;
    struct outcomes *o = p->ports.outcomes;
    if (!o->can_ask(o->self))
        return;
    if (k->n_releases > 0) {
        o->release(o->self, k->releases, k->n_releases);
        CRASHPOINT("release_asked");
        k->n_releases = 0;
        return;
    }
    if (!k->due || p->draining)
        return;
    const struct parked_ask ask = {.doubts = settling_room(p), .retries = room_for_retries(p)};
    k->due = false;
    if (ask.doubts > 0 || ask.retries > 0) {
        o->take_parked(o->self, &ask);
        CRASHPOINT("leases_asked");
    }
}

/* The job as its record said it; NULL when its scene is not configured any more. */
static struct flight *new_flight(struct pipeline *p, const struct parked_job *job)
{
    const struct scene *scene = settings_scene(pipeline_settings(p), job->scene, job->locale);
    if (!scene)
        return NULL;
    struct flight *f = flight_new(&p->flights);
    f->lease = job->lease;
    f->day_us = job->day_us;
    f->partition = job->partition;
    f->incarnation = job->incarnation;
    f->epoch = job->epoch;
    f->mark.offset = job->offset;
    f->met_us = f->entered_us = loop_now_us(p->loop);
    f->retry.tries = (unsigned)job->attempt;
    f->settings = settings_use_add(p->settings);
    f->job = (struct job){
        .job_id = arena_strndup(f->arena, job->job_id, strlen(job->job_id)),
        .phone = arena_strndup(f->arena, job->phone, strlen(job->phone)),
        .scene_name = arena_strndup(f->arena, job->scene, strlen(job->scene)),
        .scene = scene,
        .requested_at_us = job->requested_us,
        .deadline_us = job->deadline_us,
    };
    if (!f->job.job_id || !f->job.phone || !f->job.scene_name)
        panic("out of memory for a parked job; it stays in the database");
    return f;
}

static void begin_retry(struct pipeline *p, const struct parked_job *job)
{
    struct flight *f = p->draining ? NULL : new_flight(p, job);
    if (f)
        pipeline_make_ready(p, f);
    else
        parked_give_back(p, job->job_id, job->day_us, job->lease,
                         p->draining ? 0 : NO_SCENE_WAIT_US);
}

void parked_on_taken(void *arg, const struct parked_job *jobs, size_t n, int64_t asked_us)
{
    struct pipeline *p = arg;
    bool late = clock_boot_us() - asked_us > ANSWER_MAX_US;
    if (n > 0)
        CRASHPOINT("leases_taken");
    for (size_t i = 0; i < n; i++) {
        if (jobs[i].kind == PARKED_RETRY)
            begin_retry(p, &jobs[i]);
        else if (late || p->draining)
            parked_give_back(p, jobs[i].job_id, jobs[i].day_us, jobs[i].lease, 0);
        else
            settling_begin(p, &jobs[i], asked_us);
    }
    pipeline_wake(p);
}

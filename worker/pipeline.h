/*
 * The way of a job through the worker (DESIGN.md section 3): intake, claim, send, record, announce,
 * offset done, commit. The only place that knows the order of the stages. Give it ports, wire its
 * handlers into their adapters, and it runs on the loop.
 */
#ifndef SENDCODE_WORKER_PIPELINE_H
#define SENDCODE_WORKER_PIPELINE_H

#include "common/base.h"
#include "worker/ports/claims.h"
#include "worker/ports/events.h"
#include "worker/ports/jobs_source.h"
#include "worker/ports/outcomes.h"
#include "worker/ports/sender.h"

struct buf;
struct health;
struct loop;
struct meters;
struct pipeline;
struct settings;

struct ports {
    struct jobs_source *source;
    struct claims *claims;
    struct sender *sender;
    struct outcomes *outcomes;
    struct events *events;
};

/* Called when the environment is wrong in a way that waiting does not mend. */
struct pipeline_fatal {
    void (*fn)(void *arg, const char *why);
    void *arg;
};

/* health and meters outlive it. Takes over `settings`. */
struct pipeline *pipeline_new(struct loop *l, struct settings *settings, struct health *health,
                              struct meters *meters, struct pipeline_fatal fatal);
void pipeline_free(struct pipeline *p);

/* What the adapters are made with; then the ports they gave. */
struct jobs_source_handlers pipeline_source_handlers(struct pipeline *p);
struct claims_handlers pipeline_claims_handlers(struct pipeline *p);
struct sender_handlers pipeline_sender_handlers(struct pipeline *p);
struct outcomes_handlers pipeline_outcomes_handlers(struct pipeline *p);
struct events_handlers pipeline_events_handlers(struct pipeline *p);
void pipeline_start(struct pipeline *p, const struct ports *ports);

/* New settings for the jobs parsed from now on. Takes them over. */
void pipeline_set_settings(struct pipeline *p, struct settings *settings);
const struct settings *pipeline_settings(const struct pipeline *p);

/*
 * Ends: no more intake; what is claimed is sent, recorded and announced; offsets are committed and
 * the group is left; then done(arg). Jobs not claimed yet are left to others.
 */
void pipeline_drain(struct pipeline *p, void (*done)(void *arg), void *arg);

/* Drained long enough: the group is left now, whatever is under way. */
void pipeline_leave(struct pipeline *p);

/* How many jobs are between claim and the end, for the drain's last word. */
size_t pipeline_under_way(const struct pipeline *p);

/* Why intake is stopped, one sentence; nothing when it is not. */
void pipeline_say_stops(const struct pipeline *p, struct buf *out);

#endif

/*
 * Announcing: events of changed states and dead letters, produced in the burst of their batch. The
 * offset is done when they are acknowledged.
 */
#include "common/clock.h"
#include "common/crashpoint.h"
#include "common/loop.h"
#include "common/metrics.h"
#include "worker/joblog.h"
#include "worker/pipeline_parts.h"

#define UNTRACKED 0 /* the ticket of an event that nothing waits for */

void announcing_publish(struct pipeline *p, struct flight *f, const struct job_status *s,
                        bool tracked)
{
    f->entered_us = loop_now_us(p->loop);
    p->ports.events->publish(p->ports.events->self, tracked ? f->ticket : UNTRACKED, s);
    CRASHPOINT("event_produced");
}

void announcing_bury(struct pipeline *p, struct flight *f, const struct record *rec)
{
    struct dead_letter letter = {
        .record = rec,
        .omit_code = job_value_may_hold_code(f->fault, rec->value, rec->value_len),
        .error = job_fault_to_text(f->fault),
        .at_us = clock_wall_us(),
    };
    metric_add(metrics_cell(p->meters->dead_letters, job_fault_to_label(f->fault)), 1);
    joblog_invalid(f);
    p->ports.events->dead_letter(p->ports.events->self, f->ticket, &letter);
    CRASHPOINT("dead_letter_produced");
}

void announcing_on_published(void *arg, uint64_t ticket)
{
    struct pipeline *p = arg;
    if (ticket == UNTRACKED)
        return;
    if (ticket & CHORES_TICKET) {
        chores_on_published(&p->chores, ticket);
        return;
    }
    struct flight *f = flight_get(&p->flights, ticket);
    if (!f)
        return;
    metric_observe_us(p->meters->stage[STAGE_ANNOUNCE], loop_now_us(p->loop) - f->entered_us);
    pipeline_on_published(p, f);
}

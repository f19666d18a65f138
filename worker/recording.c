/*
 * Recording: outcomes of attempts, and notes of records that are no job, a batch a call. What the
 * database cannot take yet is kept; the number is bounded by what claiming lets through.
 */
#include "common/clock.h"
#include "common/crashpoint.h"
#include "common/loop.h"
#include "common/metrics.h"
#include "worker/pipeline_parts.h"

static void record_batch(struct pipeline *p)
{
    struct outcome rows[RECORD_BATCH_MAX];
    size_t n = 0;
    int64_t now = clock_boot_us();
    struct flight *f = p->flights.at[PLACE_UNRECORDED];
    while (f && n < RECORD_BATCH_MAX) {
        struct flight *next = f->next;
        f->outcome.age_us = now - f->result.started_us;
        f->entered_us = now;
        rows[n++] = f->outcome;
        flight_move(&p->flights, f, PLACE_RECORDING);
        f = next;
    }
    p->ports.outcomes->record(p->ports.outcomes->self, rows, n);
    CRASHPOINT("record_asked");
}

/* True when something was asked for. */
static bool note_batch(struct pipeline *p)
{
    struct note notes[RECORD_BATCH_MAX];
    size_t n = 0;
    struct flight *f = p->flights.at[PLACE_UNNOTED];
    while (f && n < RECORD_BATCH_MAX) {
        struct flight *next = f->next;
        if (!f->part) {
            flight_free(&p->flights, f);
        } else if (f->part->epoch != 0) {
            notes[n++] = (struct note){
                .ticket = f->ticket,
                .partition = f->partition,
                .incarnation = f->part->incarnation,
                .offset = f->mark.offset,
                .reason = f->gap_end ? NULL : job_fault_to_label(f->fault),
                .gap_end = f->gap_end,
            };
            flight_move(&p->flights, f, PLACE_NOTING);
        }
        f = next;
    }
    if (n == 0)
        return false;
    p->ports.outcomes->note(p->ports.outcomes->self, notes, n);
    CRASHPOINT("note_asked");
    return true;
}

bool recording_pump(struct pipeline *p)
{
    if (!p->ports.outcomes->can_ask(p->ports.outcomes->self))
        return false;
    if (p->notes_first && note_batch(p)) {
        p->notes_first = false;
        return true;
    }
    p->notes_first = p->flights.at[PLACE_UNRECORDED] != NULL;
    if (p->notes_first) {
        record_batch(p);
        return true;
    }
    return note_batch(p);
}

void recording_on_answers(void *arg, const struct outcome_answer *answers, size_t n)
{
    struct pipeline *p = arg;
    int64_t now = loop_now_us(p->loop);
    CRASHPOINT("record_answered");
    for (size_t i = 0; i < n; i++) {
        struct flight *f = flight_get(&p->flights, answers[i].ticket);
        if (!f || f->place != PLACE_RECORDING)
            panic("an outcome was answered that was not recorded");
        metric_observe_us(p->meters->stage[STAGE_RECORD], now - f->entered_us);
        f->entered_us = now;
        pipeline_on_recorded(p, f, &answers[i]);
    }
    pipeline_wake(p);
}

void recording_on_noted(void *arg, const uint64_t *tickets, size_t n)
{
    struct pipeline *p = arg;
    CRASHPOINT("noted");
    for (size_t i = 0; i < n; i++) {
        struct flight *f = flight_get(&p->flights, tickets[i]);
        if (!f || f->place != PLACE_NOTING)
            panic("a note was answered that was not asked for");
        if (!f->gap_end)
            metric_add(p->meters->invalid, 1);
        pipeline_finish(p, f);
    }
    pipeline_wake(p);
}

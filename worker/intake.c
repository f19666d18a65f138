/*
 * Intake: partitions come and go; records become jobs, dead letters or noted gaps. Bounded: the
 * source is told how many records there is room for.
 */
#include <string.h>

#include "common/loop.h"
#include "common/mem.h"
#include "common/metrics.h"
#include "common/settings/settings.h"
#include "common/text.h"
#include "worker/pipeline_parts.h"
#include "worker/settings_use.h"

#define TRACE_MAX 1024
#define NO_PARTITION (-1)

void intake_on_assigned(void *arg, const int32_t *partitions, size_t n)
{
    struct pipeline *p = arg;
    for (size_t i = 0; i < n; i++)
        ownership_add(&p->ownership, partitions[i]);
    pipeline_wake(p);
}

void intake_let_go(struct pipeline *p, struct flight *f)
{
    if (f->place == PLACE_HELD)
        held_remove(&p->held, f);
    if (f->part)
        offsets_done(&f->part->offsets, &f->mark);
    f->part = NULL;
}

/* What is not claimed is dropped: it is the new owner's. The rest goes on without an offset. */
static void leave(struct pipeline *p, struct partition *part)
{
    static const enum place droppable[] = {PLACE_WAITING, PLACE_READY, PLACE_HELD, PLACE_UNNOTED};
    struct flight *f, *next;
    HASH_ITER(hh, p->flights.by_ticket, f, next)
    {
        if (f->part != part)
            continue;
        intake_let_go(p, f);
        for (size_t i = 0; i < ARRAY_LEN(droppable); i++) {
            if (f->place == droppable[i]) {
                if (f->trial)
                    stops_on_trial_over(&p->stops, f->job.scene_name, loop_now_us(p->loop));
                flight_free(&p->flights, f);
                break;
            }
        }
    }
    /* A commit under way says nothing of the next tenure, whose log may be another. */
    for (size_t i = 0; i < p->n_commit; i++) {
        if (p->commit[i].partition == part->id)
            p->commit[i].partition = NO_PARTITION;
    }
    ownership_remove(&p->ownership, part);
}

size_t intake_on_revoked(void *arg, const int32_t *partitions, size_t n, bool lost,
                         struct source_offset *commit)
{
    struct pipeline *p = arg;
    size_t n_commit = 0;
    for (size_t i = 0; i < n; i++) {
        struct partition *part = ownership_get(&p->ownership, partitions[i]);
        if (!part)
            continue;
        int64_t position = offsets_position(&part->offsets);
        if (!lost && part->met && position > part->offsets.committed)
            commit[n_commit++] = (struct source_offset){part->id, position};
        leave(p, part);
        meters_set_lag(p->meters, partitions[i], -1);
    }
    pipeline_wake(p);
    return n_commit;
}

/* The log began again while it was ours: as if it had been revoked and assigned anew. */
static struct partition *begin_again(struct pipeline *p, struct partition *part)
{
    int32_t id = part->id;
    bool started = part->started;
    leave(p, part);
    ownership_add(&p->ownership, id);
    part = ownership_get(&p->ownership, id);
    part->started = started;
    part->restarted = true;
    return part;
}

static struct flight *begin(struct pipeline *p, struct partition *part, int64_t offset,
                            int64_t next)
{
    struct flight *f = flight_new(&p->flights);
    f->part = part;
    f->partition = part->id;
    f->met_us = f->entered_us = loop_now_us(p->loop);
    if (offset >= part->offsets.next)
        offsets_begin(&part->offsets, &f->mark, offset, next);
    else
        f->mark.offset = offset; /* met before: the position passed it, the database judges it */
    return f;
}

static void note_gap(struct pipeline *p, struct partition *part, int64_t start, int64_t end)
{
    struct flight *f = begin(p, part, start, end);
    f->gap_end = end;
    part->last_gap = f->ticket;
    flight_move(&p->flights, f, PLACE_UNNOTED);
}

static const char *header_text(struct arena *a, const struct record *rec, const char *name,
                               size_t *len)
{
    for (size_t i = 0; i < rec->n_headers; i++) {
        const struct record_header *h = &rec->headers[i];
        if (strcmp(h->name, name) == 0 && h->value && !text_has_nul(h->value, h->len) &&
            text_is_utf8(h->value, h->len)) {
            *len = h->len;
            return arena_strndup(a, h->value, h->len);
        }
    }
    return NULL;
}

/* Stored with the job when they are at most 1 KiB together, else neither. */
static void take_trace(struct flight *f)
{
    size_t parent_len = 0, state_len = 0;
    const char *parent = header_text(f->arena, &f->record, "traceparent", &parent_len);
    const char *state = header_text(f->arena, &f->record, "tracestate", &state_len);
    if (parent_len + state_len > TRACE_MAX)
        return;
    f->job.traceparent = parent;
    f->job.tracestate = state;
}

static void count_key(struct pipeline *p, const struct flight *f)
{
    size_t len = strlen(f->job.phone);
    if (!f->record.key || f->record.key_len != len || memcmp(f->record.key, f->job.phone, len) != 0)
        metric_add(p->meters->unkeyed, 1);
}

/* Its dead letter holds all of it until it is acknowledged. */
static size_t bytes_of(const struct record *rec)
{
    size_t n = rec->key_len + rec->value_len;
    for (size_t i = 0; i < rec->n_headers; i++)
        n += rec->headers[i].len;
    return n;
}

/* A record is parsed where it lies, so that a huge one is not copied only to be refused. */
static void take_in(struct pipeline *p, struct flight *f, const struct record *rec)
{
    bool no_memory = false;
    f->published_us = rec->published_us;
    f->after_gap = f->part->last_gap;
    f->fault =
        job_parse(f->arena, pipeline_settings(p), rec->value, rec->value_len, &f->job, &no_memory);
    if (!no_memory && f->fault != JOB_OK) {
        flight_count_bytes(&p->flights, f, bytes_of(rec));
        flight_move(&p->flights, f, PLACE_BURYING);
        announcing_bury(p, f, rec);
        return;
    }
    if (no_memory || !flight_keep_record(&p->flights, f, rec))
        panic("out of memory for one more job; it stays in Kafka");
    f->settings = settings_use_add(p->settings);
    take_trace(f);
    count_key(p, f);
    pipeline_make_ready(p, f);
}

void intake_on_record(void *arg, const struct record *rec)
{
    struct pipeline *p = arg;
    struct partition *part = ownership_get(&p->ownership, rec->partition);
    if (!part || p->draining)
        return;
    if (p->allowed > 0)
        p->allowed--;
    bool again = ownership_went_back(part, rec);
    if (again && rec->log_end >= 0 && rec->log_end < part->offsets.next) {
        part = begin_again(p, part);
        again = false;
    }
    int64_t gap_start = 0;
    if (!again && ownership_met(part, rec, &gap_start))
        note_gap(p, part, gap_start, rec->offset);
    take_in(p, begin(p, part, rec->offset, rec->offset + 1), rec);
    pipeline_wake(p);
}

size_t intake_room(const struct pipeline *p)
{
    const size_t *count = p->flights.count;
    size_t held_max = (size_t)pipeline_settings(p)->worker.held_jobs;
    size_t waiting = count[PLACE_WAITING] + count[PLACE_READY];
    size_t settling = count[PLACE_BURYING] + count[PLACE_UNNOTED] + count[PLACE_NOTING];
    size_t want = 2 * (size_t)p->window.max;
    if (p->flights.bytes >= BYTES_MAX || settling >= SETTLING_MAX ||
        p->ports.events->unacked(p->ports.events->self) >= UNACKED_MAX || waiting >= want)
        return 0;
    if (count[PLACE_HELD] + waiting >= held_max)
        return 0;
    /* A stopped account takes in one job to try with, and no more. */
    if (stops_account_is_stopped(&p->stops))
        return waiting + count[PLACE_HELD] == p->held.n_not_ready ? 1 : 0;
    return MIN(want - waiting, held_max - count[PLACE_HELD] - waiting);
}

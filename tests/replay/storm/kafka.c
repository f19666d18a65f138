/* The storm's Kafka: three logs, a group of two, events and dead letters. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "tests/replay/storm/world.h"

static void append_job(struct world *w, struct log_record *r)
{
    unsigned number = ++w->last_job;
    if (number > 10 && world_chance(w, 5))
        number -= 1 + world_random(w, 10); /* known already: a duplicate */
    snprintf(r->job_id, sizeof(r->job_id), "j%u", number);
    r->phone = (int)world_random(w, PHONES);
    r->requested_us = clock_wall_us() - (int64_t)world_random(w, 3) * 10 * US_PER_S;
}

void kafka_append(struct world *w, int partition)
{
    struct log_of *log = &w->logs[partition];
    unsigned dice = world_random(w, 100);
    if (log->end == LOG_MAX - 1)
        return;
    struct log_record *r = &log->records[log->end++];
    *r = (struct log_record){.kind = dice < 80   ? RECORD_JOB
                                     : dice < 85 ? RECORD_REFUSED
                                     : dice < 93 ? RECORD_INVALID
                                                 : RECORD_GAP};
    if (r->kind == RECORD_JOB || r->kind == RECORD_REFUSED)
        append_job(w, r);
    if (r->kind == RECORD_REFUSED)
        r->job_id[0] = 'r'; /* no job has its name */
}

void kafka_append_fresh(struct world *w, int partition)
{
    struct log_of *log = &w->logs[partition];
    struct log_record *r = &log->records[log->end++];
    *r = (struct log_record){.kind = RECORD_JOB, .requested_us = clock_wall_us()};
    snprintf(r->job_id, sizeof(r->job_id), "j%u", ++w->last_job);
}

static void write_value(const struct log_record *r, char out[256])
{
    char at[TEXT_TIME_SIZE], until[TEXT_TIME_SIZE];
    text_from_time_us(r->requested_us, at);
    text_from_time_us(r->requested_us + DEADLINE_US, until);
    if (r->kind == RECORD_INVALID)
        snprintf(out, 256, "{\"v\":1}");
    else
        snprintf(out, 256,
                 "{\"v\":1,\"job_id\":\"%s\",\"phone\":\"+861380013800%d\",\"scene\":\"register\","
                 "\"requested_at\":\"%s\",\"deadline\":\"%s\"}",
                 r->job_id, r->phone, at, until);
}

/* A member that was thrown out while it stood still may have fetched something before. */
static bool may_fetch(struct node *n, int partition)
{
    const struct log_of *log = &n->world->logs[partition];
    const struct part *part = &n->parts[partition];
    return part->owned && part->started && n->credit > 0 && part->position < log->end &&
           (log->owner == n || world_chance(n->world, 30));
}

void kafka_deliver(struct node *n, int partition)
{
    struct log_of *log = &n->world->logs[partition];
    struct part *part = &n->parts[partition];
    while (part->position < log->end && log->records[part->position].kind == RECORD_GAP)
        part->position++;
    if (!may_fetch(n, partition))
        return;
    char *value = malloc(256); /* freed at once: what is kept of it must be a copy */
    if (!value)
        panic("no memory");
    write_value(&log->records[part->position], value);
    const struct record rec = {
        .partition = partition,
        .offset = part->position++,
        .published_us = clock_wall_us(),
        .log_end = log->end,
        .value = value,
        .value_len = strlen(value),
    };
    struct jobs_source_handlers h = pipeline_source_handlers(n->pipeline);
    n->credit--;
    h.record(h.arg, &rec);
    free(value);
}

/* From whom it is now: told at once, or, standing still, when it runs again. */
static void take_from(struct node *n, int partition)
{
    if (n->paused)
        n->world->logs[partition].owner = NULL;
    else
        kafka_revoke(n, partition, world_chance(n->world, 30));
}

void kafka_assign(struct node *n, int partition)
{
    struct log_of *log = &n->world->logs[partition];
    struct part *part = &n->parts[partition];
    int32_t id = partition;
    if (log->owner == n || n->closing || n->paused)
        return;
    if (part->owned)
        kafka_revoke(n, partition, true);
    if (log->owner)
        take_from(log->owner, partition);
    log->owner = n;
    *part = (struct part){.owned = true, .position = log->committed};
    struct jobs_source_handlers h = pipeline_source_handlers(n->pipeline);
    h.assigned(h.arg, &id, 1);
}

/* The heart of it: nothing unfinished is ever passed. */
static void check_commit(const struct world *w, const struct source_offset *c)
{
    if (c->offset > w->logs[c->partition].end)
        world_fail(w, "%d is committed at %lld, beyond its end", (int)c->partition,
                   (long long)c->offset);
    for (int64_t o = 0; o < c->offset; o++) {
        if (!database_is_done(w, c->partition, o))
            world_fail(w, "%d is committed at %lld although %lld (%s) is not finished",
                       (int)c->partition, (long long)c->offset, (long long)o,
                       w->logs[c->partition].records[o].job_id);
    }
}

void kafka_revoke(struct node *n, int partition, bool lost)
{
    struct log_of *log = &n->world->logs[partition];
    struct source_offset commit;
    int32_t id = partition;
    if (!n->parts[partition].owned)
        return;
    n->parts[partition].owned = n->parts[partition].started = false;
    if (log->owner == n)
        log->owner = NULL;
    struct jobs_source_handlers h = pipeline_source_handlers(n->pipeline);
    if (h.revoked(h.arg, &id, 1, lost, &commit) == 0)
        return;
    if (lost)
        world_fail(n->world, "a lost partition is committed");
    check_commit(n->world, &commit);
    log->committed = commit.offset;
}

void kafka_tell_losses(struct node *n)
{
    for (int i = 0; i < PARTITIONS; i++) {
        if (n->parts[i].owned && n->world->logs[i].owner != n)
            kafka_revoke(n, i, true);
    }
}

void kafka_answer_commit(struct node *n, bool ok)
{
    for (size_t i = 0; i < n->n_commit; i++) {
        struct log_of *log = &n->world->logs[n->commit[i].partition];
        ok = ok && log->owner == n; /* a generation that is over may not commit */
    }
    for (size_t i = 0; i < n->n_commit && ok; i++)
        n->world->logs[n->commit[i].partition].committed = n->commit[i].offset;
    n->committing = false;
    struct jobs_source_handlers h = pipeline_source_handlers(n->pipeline);
    h.committed(h.arg, ok);
}

static void source_start(void *self, int32_t partition)
{
    struct node *n = self;
    if (!n->parts[partition].owned)
        world_fail(n->world, "a partition is started that is not owned");
    n->parts[partition].started = true;
}

static void source_allow(void *self, size_t room)
{
    struct node *n = self;
    n->credit = room;
}

static void source_commit(void *self, const struct source_offset *offsets, size_t count)
{
    struct node *n = self;
    if (n->committing || count > PARTITIONS)
        world_fail(n->world, "a commit while one is under way");
    for (size_t i = 0; i < count; i++) {
        if (!n->parts[offsets[i].partition].owned)
            world_fail(n->world, "a partition is committed that is not owned");
        check_commit(n->world, &offsets[i]);
    }
    n->committing = true;
    n->n_commit = count;
    memcpy(n->commit, offsets, count * sizeof(*offsets));
}

static void source_close(void *self)
{
    struct node *n = self;
    if (n->closing)
        world_fail(n->world, "the source is closed twice");
    n->closing = true;
}

void kafka_ack(struct node *n, size_t i)
{
    struct world *w = n->world;
    struct event e = n->unacked[i];
    n->unacked[i] = n->unacked[--n->n_unacked];
    if (e.job_id[0]) {
        struct db_job *j = database_get(w, e.job_id);
        j->announced = MAX(j->announced, e.seq);
    } else {
        w->logs[e.partition].records[e.offset].buried = true;
    }
    struct events_handlers h = pipeline_events_handlers(n->pipeline);
    h.published(h.arg, e.ticket);
}

static struct event *add_event(struct node *n)
{
    if (n->n_unacked == ASKS_MAX)
        world_fail(n->world, "more than %d events wait", ASKS_MAX);
    return &n->unacked[n->n_unacked++];
}

static void events_publish(void *self, uint64_t ticket, const struct job_status *s)
{
    struct event *e = add_event(self);
    *e = (struct event){.ticket = ticket, .seq = s->seq};
    snprintf(e->job_id, sizeof(e->job_id), "%s", s->job_id);
}

static void events_dead_letter(void *self, uint64_t ticket, const struct dead_letter *letter)
{
    struct event *e = add_event(self);
    *e = (struct event){
        .ticket = ticket, .partition = letter->record->partition, .offset = letter->record->offset};
}

static size_t events_unacked(void *self)
{
    const struct node *n = self;
    return n->n_unacked;
}

void kafka_init(struct node *n)
{
    n->source = (struct jobs_source){.self = n,
                                     .start = source_start,
                                     .allow = source_allow,
                                     .commit = source_commit,
                                     .close = source_close};
    n->events = (struct events){.self = n,
                                .publish = events_publish,
                                .dead_letter = events_dead_letter,
                                .unacked = events_unacked};
}

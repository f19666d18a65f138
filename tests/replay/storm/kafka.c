/* The storm's Kafka: three logs, a group of one, events and dead letters. */
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
    char at[TEXT_TIME_SIZE];
    text_from_time_us(r->requested_us, at);
    if (r->kind == RECORD_INVALID)
        snprintf(out, 256, "{\"v\":1}");
    else
        snprintf(out, 256,
                 "{\"v\":1,\"job_id\":\"%s\",\"phone\":\"+861380013800%d\",\"scene\":\"register\","
                 "\"requested_at\":\"%s\"}",
                 r->job_id, r->phone, at);
}

void kafka_deliver(struct world *w, int partition)
{
    struct log_of *log = &w->logs[partition];
    while (log->position < log->end && log->records[log->position].kind == RECORD_GAP)
        log->position++;
    if (!log->owned || !log->started || w->credit == 0 || log->position >= log->end)
        return;
    char *value = malloc(256); /* freed at once: what is kept of it must be a copy */
    if (!value)
        panic("no memory");
    write_value(&log->records[log->position], value);
    const struct record rec = {
        .partition = partition,
        .offset = log->position++,
        .published_us = clock_wall_us(),
        .log_end = log->end,
        .value = value,
        .value_len = strlen(value),
    };
    struct jobs_source_handlers h = pipeline_source_handlers(w->pipeline);
    w->credit--;
    h.record(h.arg, &rec);
    free(value);
}

void kafka_assign(struct world *w, int partition)
{
    struct log_of *log = &w->logs[partition];
    int32_t id = partition;
    if (log->owned || w->closing)
        return;
    log->owned = true;
    log->started = false;
    log->position = log->committed;
    struct jobs_source_handlers h = pipeline_source_handlers(w->pipeline);
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

void kafka_revoke(struct world *w, int partition, bool lost)
{
    struct log_of *log = &w->logs[partition];
    struct source_offset commit;
    int32_t id = partition;
    if (!log->owned)
        return;
    log->owned = log->started = false;
    struct jobs_source_handlers h = pipeline_source_handlers(w->pipeline);
    if (h.revoked(h.arg, &id, 1, lost, &commit) == 0)
        return;
    if (lost)
        world_fail(w, "a lost partition is committed");
    check_commit(w, &commit);
    log->committed = commit.offset;
}

void kafka_answer_commit(struct world *w, bool ok)
{
    for (size_t i = 0; i < w->n_commit; i++) {
        struct log_of *log = &w->logs[w->commit[i].partition];
        ok = ok && log->owned; /* a generation that is over may not commit */
    }
    for (size_t i = 0; i < w->n_commit && ok; i++)
        w->logs[w->commit[i].partition].committed = w->commit[i].offset;
    w->committing = false;
    struct jobs_source_handlers h = pipeline_source_handlers(w->pipeline);
    h.committed(h.arg, ok);
}

static void source_start(void *self, int32_t partition)
{
    struct world *w = self;
    if (!w->logs[partition].owned)
        world_fail(w, "a partition is started that is not owned");
    w->logs[partition].started = true;
}

static void source_allow(void *self, size_t n)
{
    struct world *w = self;
    w->credit = n;
}

static void source_commit(void *self, const struct source_offset *offsets, size_t n)
{
    struct world *w = self;
    if (w->committing || n > PARTITIONS)
        world_fail(w, "a commit while one is under way");
    for (size_t i = 0; i < n; i++) {
        if (!w->logs[offsets[i].partition].owned)
            world_fail(w, "a partition is committed that is not owned");
        check_commit(w, &offsets[i]);
    }
    w->committing = true;
    w->n_commit = n;
    memcpy(w->commit, offsets, n * sizeof(*offsets));
}

static void source_close(void *self)
{
    struct world *w = self;
    if (w->closing)
        world_fail(w, "the source is closed twice");
    w->closing = true;
}

void kafka_ack(struct world *w, size_t i)
{
    struct event e = w->unacked[i];
    w->unacked[i] = w->unacked[--w->n_unacked];
    if (e.job_id[0]) {
        struct db_job *j = database_get(w, e.job_id);
        j->announced = MAX(j->announced, e.seq);
    } else {
        w->logs[e.partition].records[e.offset].buried = true;
    }
    struct events_handlers h = pipeline_events_handlers(w->pipeline);
    h.published(h.arg, e.ticket);
}

static struct event *add_event(struct world *w)
{
    if (w->n_unacked == ASKS_MAX)
        world_fail(w, "more than %d events wait", ASKS_MAX);
    return &w->unacked[w->n_unacked++];
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
    const struct world *w = self;
    return w->n_unacked;
}

void kafka_init(struct world *w)
{
    w->source = (struct jobs_source){.self = w,
                                     .start = source_start,
                                     .allow = source_allow,
                                     .commit = source_commit,
                                     .close = source_close};
    w->events = (struct events){.self = w,
                                .publish = events_publish,
                                .dead_letter = events_dead_letter,
                                .unacked = events_unacked};
}

/* The storm is over: everything answers, all is finished, and what is left is looked through. */
#include <stdio.h>
#include <stdlib.h>

#include "common/buf.h"
#include "common/loop.h"
#include "tests/replay/fake_loop.h"
#include "tests/replay/storm/world.h"
#include "worker/pipeline_parts.h"

#define CALM_TURNS 4000

static bool all_done(const struct world *w)
{
    for (int i = 0; i < PARTITIONS; i++) {
        int64_t end = w->logs[i].end;
        while (end > 0 && w->logs[i].records[end - 1].kind == RECORD_GAP)
            end--; /* met only with the record after it */
        if (w->logs[i].committed < end)
            return false;
    }
    for (const struct db_job *j = w->jobs; j; j = j->hh.next) {
        if (j->announced < j->seq || j->state == JOB_IN_DOUBT || j->in_outbox ||
            j->parking == PARKING_DOUBT || j->parking == PARKING_RETRY)
            return false;
    }
    return true;
}

static void calm_node(struct node *n)
{
    for (int i = 0; i < PARTITIONS; i++) {
        while (n->parts[i].started && n->credit > 0 && n->parts[i].position < n->world->logs[i].end)
            kafka_deliver(n, i);
    }
    fake_loop_turn(n->loop);
    while (n->n_sends > 0)
        provider_step(n, n->n_sends - 1);
    if (n->c.busy)
        database_answer_claims(n);
    if (n->o.ask != ASK_NONE)
        database_answer_outcomes(n);
    while (n->n_queries > 0)
        provider_tell_records(n, n->n_queries - 1);
    while (n->n_unacked > 0)
        kafka_ack(n, n->n_unacked - 1);
    if (n->committing)
        kafka_answer_commit(n, true);
    storm_answer_probe(n);
}

static void calm_turn(struct world *w)
{
    for (int i = 0; i < PARTITIONS; i++) {
        if (!w->logs[i].owner)
            kafka_assign(&w->nodes[i % NODES], i);
    }
    for (int i = 0; i < NODES; i++)
        calm_node(&w->nodes[i]);
    nodes_let_time_pass(w, 100 * US_PER_MS);
}

static void say_undone(const struct world *w)
{
    for (int i = 0; i < PARTITIONS; i++) {
        const struct log_of *log = &w->logs[i];
        fprintf(stderr, "partition %d: owner %d, committed %lld, end %lld\n", i,
                log->owner ? (int)(log->owner - w->nodes) : -1, (long long)log->committed,
                (long long)log->end);
    }
    for (int i = 0; i < NODES; i++) {
        for (int place = 0; place < PLACE_COUNT; place++)
            fprintf(stderr, "worker %d, place %d: %zu\n", i, place,
                    w->nodes[i].pipeline->flights.count[place]);
    }
    for (const struct db_job *j = w->jobs; j; j = j->hh.next) {
        if (j->announced < j->seq || j->state == JOB_IN_DOUBT || j->state == JOB_CLAIMED)
            fprintf(stderr, "%s: %s seq %d announced %d owed %d outbox %d\n", j->job_id,
                    job_state_to_text(j->state), j->seq, j->announced, j->owed, j->in_outbox);
    }
}

/* Every gap between two records that were met is noted. */
static void check_gaps(const struct world *w)
{
    for (int i = 0; i < PARTITIONS; i++) {
        const struct log_of *log = &w->logs[i];
        int64_t first = 0, last = log->end;
        while (first < last && !log->records[first].met)
            first++;
        while (last > first && !log->records[last - 1].met)
            last--;
        for (int64_t o = first; o < last; o++) {
            if (!log->records[o].met)
                world_fail(w, "%d:%lld was never met", i, (long long)o);
        }
    }
}

/* What the database says was sent is what the provider took, as far as anybody can know. */
static void check_truth(const struct world *w)
{
    for (const struct db_job *j = w->jobs; j; j = j->hh.next) {
        bool doubtful = j->state == JOB_UNKNOWN;
        if (!doubtful && (j->accepted > 0) != (j->state == JOB_SENT))
            world_fail(w, "%s is %s, and was accepted %u times", j->job_id,
                       job_state_to_text(j->state), j->accepted);
    }
}

static int compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* No second had more than the account's rate, but for a tenth of a second's worth saved up. */
static void check_rate(struct world *w)
{
    size_t most = (size_t)(w->rate + NODES * MAX(w->rate / 10, 1));
    qsort(w->paced_us, w->n_paced, sizeof(w->paced_us[0]), compare_times);
    for (size_t i = most; i < w->n_paced && w->rate > 0; i++) {
        if (w->paced_us[i] - w->paced_us[i - most] < US_PER_S)
            world_fail(w, "more than %zu jobs were sent in a second", most);
    }
}

static void on_drained(void *arg)
{
    struct node *n = arg;
    n->drained = true;
}

static void finish_all(struct world *w)
{
    for (unsigned turns = 0; !all_done(w) && turns < CALM_TURNS; turns++)
        calm_turn(w);
    if (!all_done(w)) {
        say_undone(w);
        world_fail(w, "the storm is over, but not everything is finished");
    }
}

/* Nothing that the storm stopped stays stopped. */
static void send_one_more(struct world *w, int partition)
{
    struct buf why = BUF_INIT;
    kafka_append_fresh(w, partition);
    finish_all(w);
    const struct log_of *log = &w->logs[partition];
    pipeline_say_stops(log->owner->pipeline, &why);
    const struct db_job *j = database_get(w, log->records[log->end - 1].job_id);
    if (j->state != JOB_SENT || why.len > 0)
        world_fail(w, "after the storm a job is %s; %s", job_state_to_text(j->state),
                   buf_text(&why));
    buf_free(&why);
}

static void drain(struct node *n)
{
    struct world *w = n->world;
    if (n->pipeline->flights.bytes > 0 || HASH_COUNT(n->pipeline->flights.by_ticket) > 0) {
        say_undone(w);
        world_fail(w, "everything is finished, but flights are left");
    }
    pipeline_drain(n->pipeline, on_drained, n);
    for (unsigned turns = 0; !n->closing && turns < 100; turns++)
        calm_turn(w);
    if (!n->closing)
        world_fail(w, "the drain does not end");
    for (int i = 0; i < PARTITIONS; i++)
        kafka_revoke(n, i, false);
    struct jobs_source_handlers h = pipeline_source_handlers(n->pipeline);
    h.closed(h.arg);
    if (!n->drained)
        world_fail(w, "nobody is told that the worker is drained");
}

void calm_end(struct world *w)
{
    w->calm = true;
    for (int i = 0; i < NODES; i++) {
        node_resume(&w->nodes[i]);
        kafka_tell_losses(&w->nodes[i]);
    }
    if (w->db_away)
        storm_turn_database(w);
    finish_all(w);
    nodes_let_time_pass(w, 60 * US_PER_S); /* the next trial of what is stopped may go */
    for (int i = 0; i < PARTITIONS; i++)
        send_one_more(w, i);
    check_gaps(w);
    check_truth(w);
    check_rate(w);
    for (int i = 0; i < NODES; i++)
        drain(&w->nodes[i]);
}

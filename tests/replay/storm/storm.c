/*
 * sendcode-storm CONF FIRST_SEED SEEDS STEPS: random sequences of records, answers, refusals,
 * time, rebalances, fences, pauses, outages, reloads and kills against two workers' pipelines.
 * Whatever the order: no job is sent twice, no commit passes an unfinished record, and when the
 * storm is over every record is finished, every state announced and true, and nothing is left in
 * memory.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/backoff.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/log.h"
#include "common/loop.h"
#include "tests/replay/fake_loop.h"
#include "tests/replay/storm/world.h"
#include "worker/pipeline_parts.h"

#define CALM_TURNS 4000

void world_fail(const struct world *w, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "seed %llu: ", (unsigned long long)w->seed);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    abort();
}

static uint64_t state; /* of splitmix64 */

static uint64_t next_random(void)
{
    uint64_t z = state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static uint32_t random_for_backoff(void)
{
    return (uint32_t)next_random();
}

unsigned world_random(struct world *w, unsigned below)
{
    (void)w;
    return (unsigned)(next_random() % below);
}

bool world_chance(struct world *w, unsigned percent)
{
    return world_random(w, 100) < percent;
}

static void answer_probe(struct node *n)
{
    struct sender_handlers h = pipeline_sender_handlers(n->pipeline);
    if (!n->probe_asked)
        return;
    n->probe_asked = false;
    h.probed(h.arg, n->world->calm || world_chance(n->world, 50) ? NULL : "AuthFailure");
}

static void turn_database(struct world *w)
{
    w->db_away = !w->db_away;
    for (int i = 0; i < NODES; i++) {
        struct claims_handlers c = pipeline_claims_handlers(w->nodes[i].pipeline);
        if (w->nodes[i].paused)
            continue;
        c.health(c.arg, w->db_away ? "away" : NULL);
        if (!w->db_away)
            c.idle(c.arg);
    }
}

static void random_answer(struct node *n)
{
    struct world *w = n->world;
    unsigned dice = world_random(w, 10);
    if (dice < 3 && n->n_sends > 0)
        provider_step(n, world_random(w, (unsigned)n->n_sends));
    else if (dice < 5 && n->c.busy && !w->db_away)
        database_answer_claims(n);
    else if (dice < 7 && n->o.ask != ASK_NONE && !w->db_away)
        database_answer_outcomes(n);
    else if (dice < 9 && n->n_unacked > 0)
        kafka_ack(n, world_random(w, (unsigned)n->n_unacked));
    else if (dice == 9 && n->committing)
        kafka_answer_commit(n, world_chance(w, 80));
    else
        answer_probe(n);
}

static void random_answers(struct node *n)
{
    for (unsigned k = 1 + world_random(n->world, 6); k > 0; k--) {
        random_answer(n);
        if (world_chance(n->world, 70))
            fake_loop_turn(n->loop);
    }
}

/* A worker stands still for a while, and the group gives its partitions away, or does not. */
static void stand_still(struct node *n)
{
    struct world *w = n->world;
    node_pause(n);
    if (world_chance(w, 50)) {
        for (int i = 0; i < PARTITIONS; i++) {
            if (w->logs[i].owner == n && world_chance(w, 70))
                kafka_assign(&w->nodes[n == &w->nodes[0]], i);
        }
    }
}

/* What it hears first when it goes on is left to chance. */
static void go_on(struct node *n)
{
    node_resume(n);
    if (world_chance(n->world, 50))
        nodes_let_time_pass(n->world, 0);
    if (world_chance(n->world, 50))
        random_answers(n);
    kafka_tell_losses(n);
}

static void step_of_node(struct node *n, unsigned dice)
{
    struct world *w = n->world;
    int partition = (int)world_random(w, PARTITIONS);
    if (n->paused) {
        if (dice < 100)
            go_on(n);
        else if (dice < 200 && n->c.busy && !n->c.decided && !w->db_away)
            database_decide_claims(n); /* it was asked before, and is done without it */
        else if (dice < 300 && n->o.ask != ASK_NONE && !n->o.decided && !w->db_away)
            database_decide_outcomes(n);
    } else if (dice < 225) {
        kafka_deliver(n, partition);
    } else if (dice < 880) {
        random_answers(n);
    } else if (dice < 955) {
        if (w->logs[partition].owner == NULL || world_chance(w, 10))
            kafka_assign(n, partition);
    } else if (dice < 975) {
        kafka_revoke(n, partition, world_chance(w, 30));
    } else if (dice < 982) {
        nodes_reload(n);
    } else if (dice < 986 && w->seed % 2 == 0) { /* what leaks would be lost with the worker */
        node_kill(n);
    } else if (dice >= 990) {
        stand_still(n);
    }
}

static void step(struct world *w)
{
    int partition = (int)world_random(w, PARTITIONS);
    unsigned dice = world_random(w, 1000);
    if (dice < 100)
        kafka_append(w, partition);
    else if (dice < 915)
        step_of_node(&w->nodes[world_random(w, NODES)], world_random(w, 1000));
    else if (dice < 919)
        w->logs[partition].epoch++; /* somebody believes that it is theirs */
    else if (dice < 924)
        turn_database(w);
    else if (dice < 933)
        nodes_let_time_pass(w, (int64_t)world_random(w, world_chance(w, 20) ? 70 : 4) * US_PER_S);
    else
        nodes_let_time_pass(w, (int64_t)world_random(w, 300) * US_PER_MS);
    if (world_chance(w, 70))
        nodes_turn(w);
}

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
        if (j->announced < j->seq || j->state == JOB_IN_DOUBT || j->in_outbox)
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
    while (n->n_unacked > 0)
        kafka_ack(n, n->n_unacked - 1);
    if (n->committing)
        kafka_answer_commit(n, true);
    answer_probe(n);
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

static void end(struct world *w)
{
    w->calm = true;
    for (int i = 0; i < NODES; i++) {
        node_resume(&w->nodes[i]);
        kafka_tell_losses(&w->nodes[i]);
    }
    if (w->db_away)
        turn_database(w);
    finish_all(w);
    nodes_let_time_pass(w, 60 * US_PER_S); /* the next trial of what is stopped may go */
    for (int i = 0; i < PARTITIONS; i++)
        send_one_more(w, i);
    check_gaps(w);
    check_truth(w);
    for (int i = 0; i < NODES; i++)
        drain(&w->nodes[i]);
}

static void run(const char *conf, uint64_t seed, unsigned steps)
{
    static struct world w;
    memset(&w, 0, sizeof(w));
    w.seed = state = seed;
    w.conf = conf;
    w.goodwill = 40 + world_random(&w, 60);
    w.clock = loop_new(NULL);
    fake_loop_use_clock(w.clock);
    for (int i = 0; i < NODES; i++) {
        w.nodes[i].world = &w;
        node_start(&w.nodes[i]);
    }
    for (unsigned i = 0; i < steps; i++)
        step(&w);
    end(&w);
    for (int i = 0; i < NODES; i++)
        node_stop(&w.nodes[i]);
    loop_free(w.clock);
    struct db_job *j, *next;
    HASH_ITER(hh, w.jobs, j, next)
    {
        HASH_DEL(w.jobs, j);
        free(j);
    }
    printf("seed %llu: %u jobs, %u sent, %u kills, %u pauses\n", (unsigned long long)seed,
           w.last_job, w.sent, w.killed, w.paused);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fputs("usage: sendcode-storm CONF FIRST_SEED SEEDS STEPS\n", stderr);
        return EXIT_USAGE_ERROR;
    }
    setenv("TENCENT_SECRET_ID", "AKIDstorm", 1);
    setenv("TENCENT_SECRET_KEY", "storm", 1);
    setenv("SENDCODE_CODE_KEY", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
           1);
    setenv("SENDCODE_VERIFY_KEY",
           "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100", 1);
    log_set_level(LOG_FATAL);
    backoff_set_random(random_for_backoff);
    uint64_t first = strtoull(argv[2], NULL, 10);
    uint64_t seeds = strtoull(argv[3], NULL, 10);
    for (uint64_t seed = first; seed < first + seeds; seed++)
        run(argv[1], seed, (unsigned)strtoul(argv[4], NULL, 10));
    return EXIT_DONE;
}

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
#include "common/err.h"
#include "common/log.h"
#include "common/loop.h"
#include "tests/replay/fake_loop.h"
#include "tests/replay/storm/world.h"

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

void storm_answer_probe(struct node *n)
{
    struct sender_handlers h = pipeline_sender_handlers(n->pipeline);
    if (!n->probe_asked)
        return;
    n->probe_asked = false;
    h.probed(h.arg, n->world->calm || world_chance(n->world, 50) ? NULL : "AuthFailure");
}

void storm_turn_database(struct world *w)
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
    else if (dice == 9 && n->n_queries > 0)
        provider_tell_records(n, world_random(w, (unsigned)n->n_queries));
    else if (dice == 9 && n->committing)
        kafka_answer_commit(n, world_chance(w, 80));
    else
        storm_answer_probe(n);
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
        if (dice < (n->paused_long ? 10 : 100))
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
        storm_turn_database(w);
    else if (dice < 933)
        nodes_let_time_pass(w, (int64_t)world_random(w, world_chance(w, 20) ? 70 : 4) * US_PER_S);
    else
        nodes_let_time_pass(w, (int64_t)world_random(w, 300) * US_PER_MS);
    if (world_chance(w, 70))
        nodes_turn(w);
}

static void run(const char *conf, uint64_t seed, unsigned steps)
{
    static struct world w;
    memset(&w, 0, sizeof(w));
    w.seed = state = seed;
    w.conf = conf;
    w.goodwill = 40 + world_random(&w, 60);
    w.rate = world_chance(&w, 50) ? 0 : 2 + world_random(&w, 20);
    w.clock = loop_new(NULL);
    fake_loop_use_clock(w.clock);
    for (int i = 0; i < NODES; i++) {
        w.nodes[i].world = &w;
        node_start(&w.nodes[i]);
    }
    for (unsigned i = 0; i < steps; i++)
        step(&w);
    calm_end(&w);
    for (int i = 0; i < NODES; i++)
        node_stop(&w.nodes[i]);
    loop_free(w.clock);
    struct db_job *j, *next;
    HASH_ITER(hh, w.jobs, j, next)
    {
        HASH_DEL(w.jobs, j);
        free(j);
    }
    printf("seed %llu: %u jobs, %u sent, %u kills, %u pauses; settled: %u sent, %u unsent, %u "
           "ambiguous, %u open, %u passed\n",
           (unsigned long long)seed, w.last_job, w.sent, w.killed, w.paused,
           w.settled[SETTLED_SENT], w.settled[SETTLED_UNSENT], w.settled[SETTLED_AMBIGUOUS],
           w.settled[SETTLED_OPEN], w.settled[SETTLED_PASSED]);
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

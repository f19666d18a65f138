/*
 * sendcode-storm CONF FIRST_SEED SEEDS STEPS: random sequences of records, answers, refusals,
 * time, rebalances, fences, outages, reloads and kills against the worker's pipeline. Whatever the
 * order: no job is sent twice, no commit passes an unfinished record, and when the storm is over
 * every record is finished, every state announced, and nothing is left in memory.
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
#include "common/settings/settings.h"
#include "tests/replay/fake_loop.h"
#include "tests/replay/storm/world.h"
#include "worker/app.h"
#include "worker/health.h"
#include "worker/meters.h"
#include "worker/pipeline_parts.h"

#define TIMEOUT_US (5 * US_PER_S)
#define CALM_TURNS 4000

static struct {
    const char *conf;
    struct loop *loop;
    struct health health;
    struct meters meters;
} storm;

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

static void on_fatal(void *arg, const char *why)
{
    world_fail(arg, "fatal: %s", why);
}

static struct settings *load(void)
{
    struct buf faults = BUF_INIT;
    struct settings *s = settings_load(storm.conf, APP_NEEDS, &faults);
    if (!s)
        panic("%s", buf_text(&faults));
    buf_free(&faults);
    return s;
}

static void start_worker(struct world *w)
{
    health_init(&storm.health);
    meters_init(&storm.meters);
    const struct pipeline_fatal fatal = {.fn = on_fatal, .arg = w};
    w->pipeline = pipeline_new(storm.loop, load(), &storm.health, &storm.meters, fatal);
    const struct ports ports = {&w->source, &w->claims, &w->sender, &w->outcomes, &w->events};
    pipeline_start(w->pipeline, &ports);
}

/* Between two turns of the loop, or in the middle of one. */
static void stop_worker(struct world *w)
{
    if (world_chance(w, 50))
        fake_loop_turn(storm.loop);
    pipeline_free(w->pipeline);
    fake_loop_turn(storm.loop);
    meters_free(&storm.meters);
}

static void kill_worker(struct world *w)
{
    stop_worker(w);
    provider_forget(w);
    memset(&w->c, 0, sizeof(w->c));
    memset(&w->o, 0, sizeof(w->o));
    w->n_unacked = 0;
    w->committing = w->closing = w->drained = w->probe_asked = false;
    w->credit = 0;
    for (int i = 0; i < PARTITIONS; i++)
        w->logs[i].owned = w->logs[i].started = false;
    w->killed++;
    start_worker(w);
}

/* No request outlives the HTTP client's time-out. */
static void let_time_pass(struct world *w, int64_t us)
{
    while (us > 0) {
        int64_t step = MIN(us, US_PER_S);
        for (size_t i = w->n_sends; i > 0; i--) {
            const struct send *s = &w->sends[i - 1];
            if (s->gated && s->gated_us + TIMEOUT_US <= loop_now_us(storm.loop) + step)
                provider_time_out(w, i - 1);
        }
        fake_loop_turn(storm.loop);
        fake_loop_pass(storm.loop, step);
        us -= step;
    }
}

static void answer_probe(struct world *w)
{
    struct sender_handlers h = pipeline_sender_handlers(w->pipeline);
    if (!w->probe_asked)
        return;
    w->probe_asked = false;
    h.probed(h.arg, w->calm || world_chance(w, 50) ? NULL : "AuthFailure");
}

static void reload(struct world *w)
{
    pipeline_set_settings(w->pipeline, load());
}

static void turn_database(struct world *w)
{
    struct claims_handlers c = pipeline_claims_handlers(w->pipeline);
    w->db_away = !w->db_away;
    c.health(c.arg, w->db_away ? "away" : NULL);
    if (!w->db_away)
        c.idle(c.arg);
}

static void random_answer(struct world *w)
{
    unsigned dice = world_random(w, 10);
    if (dice < 3 && w->n_sends > 0)
        provider_step(w, world_random(w, (unsigned)w->n_sends));
    else if (dice < 5 && w->c.busy && !w->db_away)
        database_answer_claims(w);
    else if (dice < 7 && w->o.ask != ASK_NONE && !w->db_away)
        database_answer_outcomes(w);
    else if (dice < 9 && w->n_unacked > 0)
        kafka_ack(w, world_random(w, (unsigned)w->n_unacked));
    else if (dice == 9 && w->committing)
        kafka_answer_commit(w, world_chance(w, 80));
    else
        answer_probe(w);
}

static void random_answers(struct world *w)
{
    for (unsigned n = 1 + world_random(w, 6); n > 0; n--) {
        random_answer(w);
        if (world_chance(w, 70))
            fake_loop_turn(storm.loop);
    }
}

static void step(struct world *w)
{
    int partition = (int)world_random(w, PARTITIONS);
    unsigned dice = world_random(w, 1000);
    if (dice < 100)
        kafka_append(w, partition);
    else if (dice < 300)
        kafka_deliver(w, partition);
    else if (dice < 860)
        random_answers(w);
    else if (dice < 900)
        kafka_assign(w, partition);
    else if (dice < 911)
        kafka_revoke(w, partition, world_chance(w, 30));
    else if (dice < 915)
        w->logs[partition].epoch++; /* somebody believes that it is theirs */
    else if (dice < 920)
        turn_database(w);
    else if (dice < 924)
        reload(w);
    else if (dice < 926 && w->seed % 2 == 0) /* what leaks would be lost with the worker */
        kill_worker(w);
    else if (dice < 935)
        let_time_pass(w, (int64_t)world_random(w, world_chance(w, 20) ? 70 : 4) * US_PER_S);
    else
        let_time_pass(w, (int64_t)world_random(w, 300) * US_PER_MS);
    if (world_chance(w, 70))
        fake_loop_turn(storm.loop);
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

static void calm_turn(struct world *w)
{
    for (int i = 0; i < PARTITIONS; i++) {
        kafka_assign(w, i);
        while (w->logs[i].started && w->credit > 0 && w->logs[i].position < w->logs[i].end)
            kafka_deliver(w, i);
    }
    fake_loop_turn(storm.loop);
    while (w->n_sends > 0)
        provider_step(w, w->n_sends - 1);
    if (w->c.busy)
        database_answer_claims(w);
    if (w->o.ask != ASK_NONE)
        database_answer_outcomes(w);
    while (w->n_unacked > 0)
        kafka_ack(w, w->n_unacked - 1);
    if (w->committing)
        kafka_answer_commit(w, true);
    answer_probe(w);
    let_time_pass(w, 100 * US_PER_MS);
}

static void say_undone(const struct world *w)
{
    for (int i = 0; i < PARTITIONS; i++) {
        const struct log_of *log = &w->logs[i];
        fprintf(stderr, "partition %d: committed %lld, position %lld, end %lld\n", i,
                (long long)log->committed, (long long)log->position, (long long)log->end);
    }
    for (int place = 0; place < PLACE_COUNT; place++)
        fprintf(stderr, "place %d: %zu\n", place, w->pipeline->flights.count[place]);
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

static void on_drained(void *arg)
{
    struct world *w = arg;
    w->drained = true;
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
static void send_one_more(struct world *w)
{
    struct buf why = BUF_INIT;
    kafka_append_fresh(w, 0);
    finish_all(w);
    pipeline_say_stops(w->pipeline, &why);
    const struct db_job *j = database_get(w, w->logs[0].records[w->logs[0].end - 1].job_id);
    if (j->state != JOB_SENT || why.len > 0)
        world_fail(w, "after the storm a job is %s; %s", job_state_to_text(j->state),
                   buf_text(&why));
    buf_free(&why);
}

static void end(struct world *w)
{
    w->calm = true;
    if (w->db_away)
        turn_database(w);
    finish_all(w);
    let_time_pass(w, 60 * US_PER_S); /* the next trial of what is stopped may go */
    send_one_more(w);
    check_gaps(w);
    if (w->pipeline->flights.bytes > 0 || HASH_COUNT(w->pipeline->flights.by_ticket) > 0) {
        say_undone(w);
        world_fail(w, "everything is finished, but flights are left");
    }
    pipeline_drain(w->pipeline, on_drained, w);
    for (unsigned turns = 0; !w->closing && turns < 100; turns++)
        calm_turn(w);
    if (!w->closing)
        world_fail(w, "the drain does not end");
    for (int i = 0; i < PARTITIONS; i++)
        kafka_revoke(w, i, false);
    struct jobs_source_handlers h = pipeline_source_handlers(w->pipeline);
    h.closed(h.arg);
    if (!w->drained)
        world_fail(w, "nobody is told that the worker is drained");
}

static void run(uint64_t seed, unsigned steps)
{
    static struct world w;
    memset(&w, 0, sizeof(w));
    w.seed = state = seed;
    w.goodwill = 40 + world_random(&w, 60);
    database_init(&w);
    kafka_init(&w);
    provider_init(&w);
    storm.loop = loop_new(NULL);
    fake_loop_use_clock(storm.loop);
    start_worker(&w);
    for (unsigned i = 0; i < steps; i++)
        step(&w);
    end(&w);
    stop_worker(&w);
    loop_free(storm.loop);
    struct db_job *j, *next;
    HASH_ITER(hh, w.jobs, j, next)
    {
        HASH_DEL(w.jobs, j);
        free(j);
    }
    printf("seed %llu: %u jobs, %u sent, %u kills\n", (unsigned long long)seed, w.last_job, w.sent,
           w.killed);
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
    storm.conf = argv[1];
    uint64_t first = strtoull(argv[2], NULL, 10);
    uint64_t seeds = strtoull(argv[3], NULL, 10);
    for (uint64_t seed = first; seed < first + seeds; seed++)
        run(seed, (unsigned)strtoul(argv[4], NULL, 10));
    return EXIT_DONE;
}

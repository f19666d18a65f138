/* The storm's workers: started, stopped, killed, standing still, and given time. */
#include <string.h>

#include "common/buf.h"
#include "common/loop.h"
#include "common/settings/settings.h"
#include "tests/replay/fake_loop.h"
#include "tests/replay/storm/world.h"
#include "worker/app.h"

#define TIMEOUT_US (5 * US_PER_S)

static void on_fatal(void *arg, const char *why)
{
    world_fail(arg, "fatal: %s", why);
}

static struct settings *load(const struct world *w)
{
    struct buf faults = BUF_INIT;
    struct settings *s = settings_load(w->conf, APP_NEEDS, &faults);
    if (!s)
        panic("%s", buf_text(&faults));
    buf_free(&faults);
    s->tencent.rate = w->rate;
    return s;
}

void node_start(struct node *n)
{
    n->loop = loop_new(NULL);
    fake_loops_pass(&n->loop, 1, 0);
    database_init(n);
    kafka_init(n);
    provider_init(n);
    health_init(&n->health);
    meters_init(&n->meters);
    const struct pipeline_fatal fatal = {.fn = on_fatal, .arg = n->world};
    n->pipeline = pipeline_new(n->loop, load(n->world), &n->health, &n->meters, fatal);
    const struct ports ports = {&n->source, &n->claims, &n->sender, &n->outcomes, &n->events};
    pipeline_start(n->pipeline, &ports);
}

void node_stop(struct node *n)
{
    if (world_chance(n->world, 50))
        fake_loop_turn(n->loop);
    pipeline_free(n->pipeline);
    fake_loop_turn(n->loop);
    meters_free(&n->meters);
    loop_free(n->loop);
    fake_loop_use_clock(n->world->clock);
}

void node_kill(struct node *n)
{
    struct world *w = n->world;
    node_stop(n);
    provider_forget(n);
    for (int i = 0; i < PARTITIONS; i++) {
        if (w->logs[i].owner == n)
            w->logs[i].owner = NULL;
    }
    /* Its share of the rate is given back when it lapses. */
    *n = (struct node){.world = w, .share = n->share, .share_until_us = n->share_until_us};
    w->killed++;
    node_start(n);
}

void node_pause(struct node *n)
{
    n->paused = true;
    n->paused_long = world_chance(n->world, 30);
    n->world->paused++;
    provider_pause(n);
}

void node_resume(struct node *n)
{
    n->paused = false;
}

void nodes_turn(struct world *w)
{
    for (int i = 0; i < NODES; i++) {
        if (!w->nodes[i].paused)
            fake_loop_turn(w->nodes[i].loop);
    }
}

/* No request outlives the HTTP client's time-out, while the client runs. */
static void time_out(struct node *n, int64_t until_us)
{
    for (size_t i = n->n_sends; i > 0; i--) {
        const struct send *s = &n->sends[i - 1];
        if (s->gated && s->gated_us + TIMEOUT_US <= until_us)
            provider_time_out(n, i - 1);
    }
}

void nodes_let_time_pass(struct world *w, int64_t us)
{
    while (us > 0) {
        struct loop *loops[NODES + 1] = {w->clock};
        size_t count = 1;
        int64_t step = MIN(us, US_PER_S);
        for (int i = 0; i < NODES; i++) {
            if (w->nodes[i].paused)
                continue;
            time_out(&w->nodes[i], loop_now_us(w->clock) + step);
            loops[count++] = w->nodes[i].loop;
        }
        nodes_turn(w);
        fake_loops_pass(loops, count, step);
        provider_orphans_arrive(w);
        us -= step;
    }
}

void nodes_reload(struct node *n)
{
    pipeline_set_settings(n->pipeline, load(n->world));
}

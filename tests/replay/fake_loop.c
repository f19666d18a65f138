/* Timers in a list and deferred calls in a queue; the clock moves only when told to. */
#include "tests/replay/fake_loop.h"

#include <utlist.h>

#include "common/clock.h"
#include "common/loop.h"
#include "common/mem.h"

struct loop_timer {
    struct loop *loop;
    loop_fn *fn;
    void *arg;
    int64_t at_us;
    bool pending;
    struct loop_timer *prev, *next;
};

struct deferred {
    loop_fn *fn;
    void *arg;
    struct deferred *prev, *next;
};

struct loop {
    int64_t now_us;
    int64_t wall_step_us; /* how far the wall clock was set */
    struct loop_timer *timers;
    struct deferred *deferred;
};

static struct loop *clock_loop;

static int64_t boot_us(void)
{
    return clock_loop->now_us;
}

static int64_t wall_us(void)
{
    return FAKE_WALL_START_US + clock_loop->now_us + clock_loop->wall_step_us;
}

void fake_loop_use_clock(struct loop *l)
{
    static const struct clock_source source = {.boot_us = boot_us, .wall_us = wall_us};
    clock_loop = l;
    clock_set_source(&source);
}

struct loop *loop_new(struct err *e)
{
    (void)e;
    return mem_must_alloc(sizeof(struct loop));
}

void loop_free(struct loop *l)
{
    struct deferred *d, *next;
    if (l->timers)
        panic("a timer outlives its loop");
    DL_FOREACH_SAFE(l->deferred, d, next)
    {
        mem_free(d);
    }
    clock_set_source(NULL);
    mem_free(l);
}

int64_t loop_now_us(struct loop *l)
{
    return l->now_us;
}

int64_t loop_lag_us(const struct loop *l)
{
    (void)l;
    return 0;
}

struct loop_timer *loop_timer_new(struct loop *l, loop_fn *fn, void *arg)
{
    struct loop_timer *t = mem_must_alloc(sizeof(*t));
    *t = (struct loop_timer){.loop = l, .fn = fn, .arg = arg};
    DL_APPEND(l->timers, t);
    return t;
}

void loop_timer_start(struct loop_timer *t, int64_t after_us)
{
    t->at_us = t->loop->now_us + after_us;
    t->pending = true;
}

void loop_timer_stop(struct loop_timer *t)
{
    t->pending = false;
}

void loop_timer_free(struct loop_timer *t)
{
    if (!t)
        return;
    DL_DELETE(t->loop->timers, t);
    mem_free(t);
}

void loop_defer(struct loop *l, loop_fn *fn, void *arg)
{
    struct deferred *d = mem_must_alloc(sizeof(*d));
    *d = (struct deferred){.fn = fn, .arg = arg};
    DL_APPEND(l->deferred, d);
}

void fake_loop_turn(struct loop *l)
{
    while (l->deferred) {
        struct deferred *d = l->deferred;
        DL_DELETE(l->deferred, d);
        d->fn(d->arg);
        mem_free(d);
    }
}

static struct loop_timer *next_timer(struct loop *l, int64_t until_us)
{
    struct loop_timer *first = NULL, *t;
    DL_FOREACH(l->timers, t)
    {
        if (t->pending && t->at_us <= until_us && (!first || t->at_us < first->at_us))
            first = t;
    }
    return first;
}

void fake_loops_pass(struct loop **loops, size_t n, int64_t us)
{
    int64_t until = clock_loop->now_us + us;
    for (;;) {
        struct loop_timer *first = NULL;
        for (size_t i = 0; i < n; i++) {
            struct loop_timer *t = next_timer(loops[i], until);
            if (t && (!first || t->at_us < first->at_us))
                first = t;
        }
        int64_t now = first ? MAX(clock_loop->now_us, first->at_us) : until;
        clock_loop->now_us = now;
        for (size_t i = 0; i < n; i++)
            loops[i]->now_us = now;
        if (!first)
            return;
        first->pending = false;
        first->fn(first->arg);
        fake_loop_turn(first->loop);
    }
}

void fake_loop_pass(struct loop *l, int64_t us)
{
    fake_loops_pass(&l, 1, us);
}

void fake_loop_pause(struct loop *l, int64_t us)
{
    l->now_us += us;
    fake_loop_pass(l, 0);
}

void fake_loop_step_wall(struct loop *l, int64_t us)
{
    l->wall_step_us += us;
}

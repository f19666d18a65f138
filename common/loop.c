/* The loop on libevent: one event_base, one turn at a time, so that "after this turn" has a
 * meaning. */
#include "common/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <utlist.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "common/mem.h"

#define LAG_PERIOD_US (100 * US_PER_MS)

struct deferred {
    loop_fn *fn;
    void *arg;
    struct deferred *prev, *next;
};

struct loop {
    struct event_base *base;
    struct deferred *deferred;
    bool stop;
    bool now_is_known; /* in this turn */
    int64_t now_us;
    struct loop_timer *lag_timer;
    int64_t lag_due_us;
    int64_t lag_us;
};

struct loop_io {
    struct loop *loop;
    struct event *event;
    int fd;
    unsigned events;
    loop_io_fn *fn;
    void *arg;
};

struct loop_timer {
    struct event *event;
    int64_t due_us;
    loop_fn *fn;
    void *arg;
};

struct loop_signal {
    struct event *event;
    loop_fn *fn;
    void *arg;
};

static void on_lag_tick(void *arg)
{
    struct loop *l = arg;
    int64_t now_us = clock_boot_us();
    l->lag_us = MAX(now_us - l->lag_due_us, (int64_t)0);
    l->lag_due_us = now_us + LAG_PERIOD_US;
    loop_timer_start(l->lag_timer, LAG_PERIOD_US);
}

static void on_library_message(int severity, const char *text)
{
    if (severity >= EVENT_LOG_WARN) {
        log_warn("libevent says", LS("error", text));
    }
}

static void on_library_panic(int code)
{
    panic("libevent gave up with code %d", code);
}

static struct event_base *new_base(void)
{
    struct event_config *config = event_config_new();
    if (config == NULL) {
        return NULL;
    }
    /* Without it timers run on the coarse clock, 4 ms wide, and wait whole milliseconds. */
    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

struct loop *loop_new(struct err *e)
{
    struct loop *l = mem_must_alloc(sizeof(*l));
    l->base = new_base();
    if (l->base == NULL) {
        err_set(e, ERR_TEMP, errno, "cannot make an event loop: %s", strerror(errno));
        mem_free(l);
        return NULL;
    }
    signal(SIGPIPE, SIG_IGN);
    event_set_log_callback(on_library_message);
    event_set_fatal_callback(on_library_panic);
    l->lag_timer = loop_timer_new(l, on_lag_tick, l);
    l->lag_due_us = clock_boot_us() + LAG_PERIOD_US;
    loop_timer_start(l->lag_timer, LAG_PERIOD_US);
    return l;
}

/* Those deferred by these wait for the next turn. */
static void run_deferred(struct loop *l)
{
    struct deferred *list = l->deferred;
    l->deferred = NULL;
    while (list != NULL) {
        struct deferred *d = list;
        DL_DELETE(list, d);
        d->fn(d->arg);
        mem_free(d);
    }
}

void loop_free(struct loop *l)
{
    if (l == NULL) {
        return;
    }
    while (l->deferred != NULL) {
        run_deferred(l);
    }
    loop_timer_free(l->lag_timer);
    event_base_free(l->base);
    mem_free(l);
}

void loop_run(struct loop *l)
{
    while (!l->stop) {
        l->now_is_known = false;
        int flags = EVLOOP_ONCE | (l->deferred != NULL ? EVLOOP_NONBLOCK : 0);
        if (event_base_loop(l->base, flags) < 0) {
            panic("the event loop failed: %s", strerror(errno));
        }
        run_deferred(l);
    }
    l->stop = false;
}

void loop_stop(struct loop *l)
{
    l->stop = true;
    event_base_loopbreak(l->base);
}

int64_t loop_now_us(struct loop *l)
{
    if (!l->now_is_known) {
        l->now_us = clock_boot_us();
        l->now_is_known = true;
    }
    return l->now_us;
}

int64_t loop_lag_us(const struct loop *l)
{
    return l->lag_us;
}

static void on_io(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    struct loop_io *io = arg;
    unsigned ready = ((what & EV_READ) ? LOOP_READ : 0u) | ((what & EV_WRITE) ? LOOP_WRITE : 0u);
    io->fn(io->arg, ready);
}

void loop_io_set(struct loop_io *io, unsigned events)
{
    if (events == io->events) {
        return;
    }
    event_del(io->event);
    io->events = events;
    if (events == 0) {
        return;
    }
    short what = (short)(EV_PERSIST | ((events & LOOP_READ) ? EV_READ : 0) |
                         ((events & LOOP_WRITE) ? EV_WRITE : 0));
    if (event_assign(io->event, io->loop->base, io->fd, what, on_io, io) != 0 ||
        event_add(io->event, NULL) != 0) {
        panic("cannot watch file descriptor %d: %s", io->fd, strerror(errno));
    }
}

struct loop_io *loop_io_new(struct loop *l, int fd, unsigned events, loop_io_fn *fn, void *arg)
{
    struct loop_io *io = mem_must_alloc(sizeof(*io));
    *io = (struct loop_io){.loop = l, .fd = fd, .fn = fn, .arg = arg};
    io->event = event_new(l->base, fd, EV_PERSIST, on_io, io);
    if (io->event == NULL) {
        panic("out of memory for an event");
    }
    loop_io_set(io, events);
    return io;
}

void loop_io_free(struct loop_io *io)
{
    if (io == NULL) {
        return;
    }
    event_free(io->event);
    mem_free(io);
}

static void start_event(struct event *event, int64_t after_us)
{
    struct timeval tv = {.tv_sec = after_us / US_PER_S, .tv_usec = after_us % US_PER_S};
    if (event_add(event, &tv) != 0) {
        panic("cannot start a timer of %lld us", (long long)after_us);
    }
}

/* libevent counts from the start of its turn and on CLOCK_MONOTONIC: too early is sent back. */
static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct loop_timer *t = arg;
    int64_t left_us = t->due_us - clock_boot_us();
    if (left_us > 0) {
        start_event(t->event, left_us);
        return;
    }
    t->fn(t->arg);
}

struct loop_timer *loop_timer_new(struct loop *l, loop_fn *fn, void *arg)
{
    struct loop_timer *t = mem_must_alloc(sizeof(*t));
    *t = (struct loop_timer){.fn = fn, .arg = arg};
    t->event = evtimer_new(l->base, on_timer, t);
    if (t->event == NULL) {
        panic("out of memory for an event");
    }
    return t;
}

void loop_timer_start(struct loop_timer *t, int64_t after_us)
{
    t->due_us = clock_boot_us() + after_us;
    start_event(t->event, after_us);
}

void loop_timer_stop(struct loop_timer *t)
{
    event_del(t->event);
}

bool loop_timer_pending(const struct loop_timer *t)
{
    return event_pending(t->event, EV_TIMEOUT, NULL) != 0;
}

void loop_timer_free(struct loop_timer *t)
{
    if (t == NULL) {
        return;
    }
    event_free(t->event);
    mem_free(t);
}

static void on_signal(evutil_socket_t signo, short what, void *arg)
{
    (void)signo;
    (void)what;
    struct loop_signal *s = arg;
    s->fn(s->arg);
}

struct loop_signal *loop_signal_new(struct loop *l, int signo, loop_fn *fn, void *arg)
{
    struct loop_signal *s = mem_must_alloc(sizeof(*s));
    *s = (struct loop_signal){.fn = fn, .arg = arg};
    s->event = evsignal_new(l->base, signo, on_signal, s);
    if (s->event == NULL || event_add(s->event, NULL) != 0) {
        panic("cannot watch signal %d", signo);
    }
    sigset_t watched;
    sigemptyset(&watched);
    sigaddset(&watched, signo);
    pthread_sigmask(SIG_UNBLOCK, &watched, NULL);
    return s;
}

void loop_signal_free(struct loop_signal *s)
{
    if (s == NULL) {
        return;
    }
    event_free(s->event);
    mem_free(s);
}

void loop_defer(struct loop *l, loop_fn *fn, void *arg)
{
    struct deferred *d = mem_must_alloc(sizeof(*d));
    *d = (struct deferred){.fn = fn, .arg = arg};
    DL_APPEND(l->deferred, d);
}

struct event_base *loop_event_base(struct loop *l)
{
    return l->base;
}

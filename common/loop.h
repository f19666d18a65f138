/*
 * The event loop: file descriptors, timers, signals, deferred calls. Owner of event2/event.h.
 * One thread. A callback may free any object but the one it is called for; for that one use
 * loop_defer. tests/replay links another implementation of this header, on simulated time.
 */
#ifndef SENDCODE_COMMON_LOOP_H
#define SENDCODE_COMMON_LOOP_H

#include "common/base.h"

struct err;
struct loop;
struct loop_io;
struct loop_timer;
struct loop_signal;
struct event_base;

#define LOOP_READ 1u
#define LOOP_WRITE 2u

typedef void loop_io_fn(void *arg, unsigned ready); /* LOOP_READ, LOOP_WRITE or both */
typedef void loop_fn(void *arg);

NODISCARD struct loop *loop_new(struct err *e); /* also makes the process ignore SIGPIPE */
/* Everything made on it must be freed before, or by what is still deferred, which it runs first. */
void loop_free(struct loop *l);
void loop_run(struct loop *l); /* until loop_stop; one that came before it starts ends it at once */
void loop_stop(struct loop *l);

/* clock_boot_us, read at most once a turn of the loop. */
int64_t loop_now_us(struct loop *l);

/* How late the last tick of the loop's own 100 ms timer was, in microseconds. */
int64_t loop_lag_us(const struct loop *l);

/*
 * Watches fd from now on for `events`; loop_io_set changes them (0: none). Level-triggered.
 * An fd that cannot be watched (closed, a regular file) is a bug and panics.
 */
NODISCARD struct loop_io *loop_io_new(struct loop *l, int fd, unsigned events, loop_io_fn *fn,
                                      void *arg);
void loop_io_set(struct loop_io *io, unsigned events);
void loop_io_free(struct loop_io *io); /* does not close fd; NULL is fine */

/* One-shot; start replaces what was set. after_us ≥ 0; never early, never before start returns. */
NODISCARD struct loop_timer *loop_timer_new(struct loop *l, loop_fn *fn, void *arg);
void loop_timer_start(struct loop_timer *t, int64_t after_us);
void loop_timer_stop(struct loop_timer *t);
bool loop_timer_pending(const struct loop_timer *t);
void loop_timer_free(struct loop_timer *t); /* NULL is fine */

/* Also unblocks the signal in this thread, so that one which was blocked until now is heard. */
NODISCARD struct loop_signal *loop_signal_new(struct loop *l, int signo, loop_fn *fn, void *arg);
void loop_signal_free(struct loop_signal *s);

/* Calls fn(arg) once, after the callbacks of this turn; from a deferred call, after the next turn.
 */
void loop_defer(struct loop *l, loop_fn *fn, void *arg);

/* For common/httpd and common/http_post only. */
struct event_base *loop_event_base(struct loop *l);

#endif

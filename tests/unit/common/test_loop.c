/* The loop on real file descriptors, timers and signals. */
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/loop.h"
#include "tests/check.h"

static struct loop *l;
static char trace[64];
static size_t traced;

static void note(char c)
{
    assert_in_range(traced, 0, sizeof(trace) - 2);
    trace[traced++] = c;
    trace[traced] = '\0';
}

/* What note_only and note_and_stop note. */
static void *letter(char c)
{
    static char letters[128];
    letters[(size_t)c] = c;
    return &letters[(size_t)c];
}

static int set_up(void **state)
{
    (void)state;
    traced = 0;
    trace[0] = '\0';
    struct err e;
    l = loop_new(&e);
    return l != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    clock_set_source(NULL);
    loop_free(l);
    return 0;
}

static void stop(void *arg)
{
    (void)arg;
    loop_stop(l);
}

static void note_and_stop(void *arg)
{
    note(*(const char *)arg);
    loop_stop(l);
}

static void note_only(void *arg)
{
    note(*(const char *)arg);
}

struct timed {
    struct loop_timer *timer;
    int64_t due_us;
    int left;
};

static void restart_until_done(void *arg)
{
    struct timed *t = arg;
    assert_true(clock_boot_us() >= t->due_us);
    assert_false(loop_timer_pending(t->timer));
    if (--t->left == 0) {
        loop_stop(l);
        return;
    }
    t->due_us = clock_boot_us() + 700;
    loop_timer_start(t->timer, 700);
}

static void a_timer_is_never_early_and_may_start_itself_again(void **state)
{
    (void)state;
    struct timed t = {.left = 20};
    t.timer = loop_timer_new(l, restart_until_done, &t);
    t.due_us = clock_boot_us() + 1500;
    loop_timer_start(t.timer, 1500);
    assert_true(loop_timer_pending(t.timer));
    loop_run(l);
    assert_int_equal(t.left, 0);
    loop_timer_free(t.timer);
    loop_timer_free(NULL);
}

static void timers_fire_in_order_and_a_stopped_one_never(void **state)
{
    (void)state;
    struct loop_timer *a = loop_timer_new(l, note_only, letter('a'));
    struct loop_timer *b = loop_timer_new(l, note_only, letter('b'));
    struct loop_timer *c = loop_timer_new(l, note_and_stop, letter('c'));
    struct loop_timer *d = loop_timer_new(l, note_only, letter('d'));
    loop_timer_start(c, 30000);
    loop_timer_start(b, 10000);
    loop_timer_start(a, 10 * US_PER_S);
    loop_timer_start(a, 0); /* replaces the ten seconds */
    loop_timer_start(d, 5000);
    loop_timer_stop(d);
    assert_false(loop_timer_pending(d));
    assert_string_equal(trace, "");
    loop_run(l);
    assert_string_equal(trace, "abc");
    loop_timer_free(a);
    loop_timer_free(b);
    loop_timer_free(c);
    loop_timer_free(d);
}

struct watched {
    struct loop_io *io;
    int fd;
    int calls;
};

static void read_all(void *arg, unsigned ready)
{
    struct watched *w = arg;
    char bytes[16];
    assert_int_equal(ready, LOOP_READ);
    w->calls++;
    if (w->calls == 3) {
        assert_int_equal(read(w->fd, bytes, sizeof(bytes)), 2);
        loop_stop(l);
    }
}

static void reading_is_level_triggered(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    struct watched w = {.fd = fds[0]};
    w.io = loop_io_new(l, fds[0], LOOP_READ, read_all, &w);
    assert_int_equal(write(fds[1], "xy", 2), 2);
    loop_run(l);
    assert_int_equal(w.calls, 3);
    loop_io_free(w.io);
    loop_io_free(NULL);
    close(fds[0]);
    close(fds[1]);
}

static void count_writable(void *arg, unsigned ready)
{
    struct watched *w = arg;
    assert_int_equal(ready, w->calls == 0 ? LOOP_WRITE : LOOP_READ | LOOP_WRITE);
    if (++w->calls == 1) {
        loop_io_set(w->io, LOOP_READ | LOOP_WRITE);
        return;
    }
    loop_io_set(w->io, 0);
}

static void the_watched_events_can_be_changed_and_turned_off(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    struct watched w = {.fd = fds[0]};
    w.io = loop_io_new(l, fds[0], 0, count_writable, &w);
    loop_io_set(w.io, LOOP_WRITE);
    struct loop_timer *end = loop_timer_new(l, stop, NULL);
    loop_timer_start(end, 20000);
    loop_run(l);
    assert_int_equal(w.calls, 2);
    loop_io_free(w.io);
    loop_timer_free(end);
    close(fds[0]);
    close(fds[1]);
}

struct pair {
    struct loop_io *io[2];
    int fds[2];
};

static void free_the_other(void *arg, unsigned ready)
{
    (void)ready;
    struct pair *p = arg;
    note('x');
    char byte;
    bool first_is_mine = p->io[0] != NULL && read(p->fds[0], &byte, 1) == 1;
    size_t other = first_is_mine ? 1 : 0;
    loop_io_free(p->io[other]);
    p->io[other] = NULL;
    loop_stop(l);
}

static void a_callback_may_free_another_object_that_is_ready_too(void **state)
{
    (void)state;
    struct pair p;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p.fds), 0);
    assert_int_equal(write(p.fds[0], "x", 1), 1);
    assert_int_equal(write(p.fds[1], "x", 1), 1);
    p.io[0] = loop_io_new(l, p.fds[0], LOOP_READ, free_the_other, &p);
    p.io[1] = loop_io_new(l, p.fds[1], LOOP_READ, free_the_other, &p);
    loop_run(l);
    assert_string_equal(trace, "x");
    loop_io_free(p.io[0]);
    loop_io_free(p.io[1]);
    close(p.fds[0]);
    close(p.fds[1]);
}

static void a_signal_is_an_event(void **state)
{
    (void)state;
    struct loop_signal *s = loop_signal_new(l, SIGUSR1, note_and_stop, letter('s'));
    assert_int_equal(raise(SIGUSR1), 0);
    assert_string_equal(trace, "");
    loop_run(l);
    assert_string_equal(trace, "s");
    loop_signal_free(s);
    loop_signal_free(NULL);
}

static void a_signal_blocked_before_it_is_watched_is_heard(void **state)
{
    (void)state;
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    assert_int_equal(sigprocmask(SIG_BLOCK, &blocked, NULL), 0);
    assert_int_equal(raise(SIGUSR1), 0);
    struct loop_signal *s = loop_signal_new(l, SIGUSR1, note_and_stop, letter('s'));
    loop_run(l);
    assert_string_equal(trace, "s");
    loop_signal_free(s);
}

static void note_deferred_again(void *arg)
{
    note(*(const char *)arg);
    loop_defer(l, note_and_stop, letter('3'));
}

static void defer_then_note(void *arg)
{
    (void)arg;
    loop_defer(l, note_only, letter('1'));
    loop_defer(l, note_deferred_again, letter('2'));
    note('a');
}

static void a_deferred_call_comes_after_the_callbacks_of_its_turn(void **state)
{
    (void)state;
    struct loop_timer *a = loop_timer_new(l, defer_then_note, NULL);
    struct loop_timer *b = loop_timer_new(l, note_only, letter('b'));
    loop_timer_start(a, 0);
    loop_timer_start(b, 0);
    loop_run(l);
    assert_string_equal(trace, "ab123");
    loop_timer_free(a);
    loop_timer_free(b);
}

static void what_is_still_deferred_runs_at_the_end(void **state)
{
    (void)state;
    struct err e;
    struct loop *other = loop_new(&e);
    loop_defer(other, note_only, letter('x'));
    loop_free(other);
    assert_string_equal(trace, "x");
    loop_free(NULL);
}

static void a_stop_before_the_start_ends_it_at_once(void **state)
{
    (void)state;
    loop_stop(l);
    loop_run(l);
    struct loop_timer *end = loop_timer_new(l, note_and_stop, letter('e'));
    loop_timer_start(end, 0);
    loop_run(l);
    assert_string_equal(trace, "e");
    loop_timer_free(end);
}

static int64_t offset_us;

static int64_t moved_now_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_BOOTTIME, &ts);
    return ts.tv_sec * US_PER_S + ts.tv_nsec / 1000 + offset_us;
}

static struct loop_timer *watcher;
static int64_t times_seen[3];

static void look_at_the_time(void *arg)
{
    (void)arg;
    times_seen[0] = loop_now_us(l);
    offset_us += 5 * US_PER_S;
    times_seen[1] = loop_now_us(l);
    loop_timer_start(watcher, 0);
}

static void look_until_it_lags(void *arg)
{
    (void)arg;
    times_seen[2] = loop_now_us(l);
    if (loop_lag_us(l) >= 4 * US_PER_S) {
        loop_stop(l);
        return;
    }
    loop_timer_start(watcher, US_PER_MS); /* the loop's own timer comes within 100 ms */
}

static void time_stands_still_within_a_turn_and_a_long_turn_is_a_lag(void **state)
{
    (void)state;
    static const struct clock_source source = {.boot_us = moved_now_us, .wall_us = moved_now_us};
    offset_us = 0;
    clock_set_source(&source);
    struct loop_timer *first = loop_timer_new(l, look_at_the_time, NULL);
    watcher = loop_timer_new(l, look_until_it_lags, NULL);
    loop_timer_start(first, 0);
    loop_run(l);
    assert_int_equal(times_seen[0], times_seen[1]);
    assert_true(times_seen[2] >= times_seen[0] + 5 * US_PER_S);
    loop_timer_free(first);
    loop_timer_free(watcher);
}

int main(void)
{
#define LOOP_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        LOOP_TEST(a_timer_is_never_early_and_may_start_itself_again),
        LOOP_TEST(timers_fire_in_order_and_a_stopped_one_never),
        LOOP_TEST(reading_is_level_triggered),
        LOOP_TEST(the_watched_events_can_be_changed_and_turned_off),
        LOOP_TEST(a_callback_may_free_another_object_that_is_ready_too),
        LOOP_TEST(a_signal_is_an_event),
        LOOP_TEST(a_signal_blocked_before_it_is_watched_is_heard),
        LOOP_TEST(a_deferred_call_comes_after_the_callbacks_of_its_turn),
        LOOP_TEST(what_is_still_deferred_runs_at_the_end),
        LOOP_TEST(a_stop_before_the_start_ends_it_at_once),
        LOOP_TEST(time_stands_still_within_a_turn_and_a_long_turn_is_a_lag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

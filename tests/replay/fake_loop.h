/* common/loop.h on simulated time: nothing happens but in fake_loop_turn and fake_loop_pass. */
#ifndef SENDCODE_TESTS_REPLAY_FAKE_LOOP_H
#define SENDCODE_TESTS_REPLAY_FAKE_LOOP_H

#include "common/base.h"

struct loop;

#define FAKE_WALL_START_US INT64_C(1764064800000000) /* 2025-11-25T10:00:00Z */

/* Both clocks follow the simulated time from now on. */
void fake_loop_use_clock(struct loop *l);

/* Runs what was deferred until nothing is. */
void fake_loop_turn(struct loop *l);

/* Lets time pass: every timer on the way fires at its moment, each followed by a turn. */
void fake_loop_pass(struct loop *l, int64_t us);

/* The same for loops that run side by side on one clock: whose timer is next fires next. A loop
 * that is left out stands still, as a stopped process does; its timers fire late, when it is in
 * again. */
void fake_loops_pass(struct loop **loops, size_t n, int64_t us);

/* The process stands still: timers fire afterwards, all late. */
void fake_loop_pause(struct loop *l, int64_t us);

/* The wall clock is set forth, or back; the boot clock is not. */
void fake_loop_step_wall(struct loop *l, int64_t us);

#endif

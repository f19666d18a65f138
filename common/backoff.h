/* Exponential back-off with full jitter above a floor: a wait is uniform in [base / 2, min(cap,
 * base * 2^tries)]. */
#ifndef SENDCODE_COMMON_BACKOFF_H
#define SENDCODE_COMMON_BACKOFF_H

#include "common/base.h"

struct backoff {
    int64_t base_us;
    int64_t cap_us;
    unsigned tries;
};

int64_t backoff_next_us(struct backoff *b); /* the wait before the next try; counts it */
void backoff_reset(struct backoff *b);

/* Uniform in [us / 2, us * 3 / 2): the same thing, done by many at intervals, is not done by all at
 * once. */
int64_t backoff_spread_us(int64_t us);

/* Test hook: replaces the randomness by fn (returns a uniform 32-bit number); NULL restores. */
void backoff_set_random(uint32_t (*fn)(void));
uint32_t backoff_random(void);

#endif

/*
 * This worker's part of the account's rate: a token bucket that is fed by the share it was given
 * last, one token a job. Holds at most a tenth of a second's worth (at least one token), so that
 * all workers together stay below the rate but for that. A share that lapses feeds nothing and
 * empties the bucket: others may have been given it. Pure: time is told, nothing is called.
 */
#ifndef SENDCODE_WORKER_RATE_CAP_H
#define SENDCODE_WORKER_RATE_CAP_H

#include "common/base.h"

struct rate_cap {
    int64_t rate;      /* jobs a second for the account; 0: no cap, nothing is kept back */
    int64_t per_s;     /* our share */
    int64_t valid_us;  /* boot clock: until then */
    int64_t tokens;    /* millionths */
    int64_t at_us;     /* boot clock: the tokens are as of then */
    int64_t taken;     /* tokens since the last beat */
    int64_t kept_back; /* the most that had to wait at once since then */
    int64_t beat_us;
};

/* At start, and when the configured rate may have changed. */
void rate_cap_set_rate(struct rate_cap *c, int64_t rate);

void rate_cap_on_share(struct rate_cap *c, int64_t per_s, int64_t valid_us, int64_t now_us);
int64_t rate_cap_share(const struct rate_cap *c, int64_t now_us); /* 0 when it lapsed */

/*
 * How many of `wanted` jobs may be claimed now: none, until a hundredth of a second's worth is
 * there, so that claims at the cap still come in batches. Keeps in mind who had to wait.
 */
size_t rate_cap_let(struct rate_cap *c, size_t wanted, int64_t now_us);
void rate_cap_take(struct rate_cap *c, size_t n);
void rate_cap_give_back(struct rate_cap *c); /* one of those taken was not to be sent */

/* After rate_cap_let said none: when to ask again; -1: not before another share comes. */
int64_t rate_cap_wait_us(const struct rate_cap *c, size_t wanted);

/* What could have been used since the last beat, jobs a second: 1 to rate. */
int64_t rate_cap_beat(struct rate_cap *c, int64_t now_us);

#endif

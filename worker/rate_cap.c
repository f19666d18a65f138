/* The token bucket of a worker's share. */
#include "worker/rate_cap.h"

#include "common/crashpoint.h"
#define ONE INT64_C(1000000) /* a token */

static int64_t burst(int64_t per_s)
{
    return per_s > 0 ? MAX(per_s / 10, 1) * ONE : 0;
}

/* Fewest tokens that a batch is let go with. */
static int64_t lot(const struct rate_cap *c, size_t wanted)
{
    return MIN((int64_t)wanted, MAX(c->per_s / 100, 1)) * ONE;
}

static void feed(struct rate_cap *c, int64_t now_us)
{
    int64_t since_us = MAX(now_us - c->at_us, 0);
    c->at_us = now_us;
    if (now_us >= c->valid_us)
        c->tokens = 0;
    else if (since_us >= US_PER_S)
        c->tokens = burst(c->per_s);
    else
        c->tokens = MIN(c->tokens + c->per_s * since_us, burst(c->per_s));
}

void rate_cap_set_rate(struct rate_cap *c, int64_t rate)
{
    c->rate = rate;
    c->per_s = MIN(c->per_s, rate);
}

void rate_cap_on_share(struct rate_cap *c, int64_t per_s, int64_t valid_us, int64_t now_us)
{
    CRASHPOINT("rate_share_answered");
    feed(c, now_us);
    c->per_s = per_s;
    c->valid_us = valid_us;
    c->tokens = MIN(c->tokens, burst(per_s));
}

int64_t rate_cap_share(const struct rate_cap *c, int64_t now_us)
{
    return now_us < c->valid_us ? c->per_s : 0;
}

size_t rate_cap_let(struct rate_cap *c, size_t wanted, int64_t now_us)
{
    if (c->rate == 0)
        return wanted;
    feed(c, now_us);
    int64_t n = c->tokens < lot(c, wanted) ? 0 : MIN(c->tokens / ONE, (int64_t)wanted);
    c->kept_back = MAX(c->kept_back, (int64_t)wanted - n);
    return (size_t)n;
}

void rate_cap_take(struct rate_cap *c, size_t n)
{
    if (c->rate == 0)
        return;
    c->tokens -= (int64_t)n * ONE;
    c->taken += (int64_t)n;
}

void rate_cap_give_back(struct rate_cap *c)
{
    if (c->rate == 0)
        return;
    c->tokens = MIN(c->tokens + ONE, burst(c->per_s));
    c->taken = MAX(c->taken - 1, 0);
}

int64_t rate_cap_wait_us(const struct rate_cap *c, size_t wanted)
{
    int64_t missing = lot(c, wanted) - c->tokens;
    if (c->per_s == 0 || c->at_us >= c->valid_us)
        return -1;
    return (MAX(missing, 1) + c->per_s - 1) / c->per_s;
}

int64_t rate_cap_beat(struct rate_cap *c, int64_t now_us)
{
    int64_t since_us = MAX(now_us - c->beat_us, US_PER_S / 2);
    int64_t taken_per_s = (c->taken * US_PER_S + since_us - 1) / since_us;
    int64_t demand = taken_per_s + c->kept_back;
    c->beat_us = now_us;
    c->taken = 0;
    c->kept_back = 0;
    return MAX(MIN(demand, c->rate), 1);
}

/* Arithmetic of the provider's clock: every rounding is down, towards an earlier end. */
#include "worker/tencent/provider_clock.h"

#include "common/clock.h"

void provider_clock_learn(struct provider_clock *c, int64_t date_s, int64_t asked_us,
                          int64_t now_us)
{
    /* The answer was written at date_s or up to a second later, between asked_us and now_us. */
    c->offset_us = date_s * US_PER_S - now_us;
    c->spread_us = US_PER_S + now_us - asked_us;
    c->learned_at_us = now_us;
    c->is_known = true;
}

int64_t provider_clock_timestamp(const struct provider_clock *c, int64_t life_s, int64_t now_us)
{
    if (!c->is_known)
        return clock_wall_us() / US_PER_S;
    return (now_us + c->offset_us) / US_PER_S - SIGNATURE_WINDOW_S + life_s;
}

int64_t provider_clock_to_boot(const struct provider_clock *c, int64_t unix_s)
{
    return unix_s * US_PER_S - c->offset_us - c->spread_us / 2;
}

bool provider_clock_agrees(const struct provider_clock *a, const struct provider_clock *b,
                           int64_t slack_us)
{
    return a->offset_us <= b->offset_us + b->spread_us + slack_us &&
           b->offset_us <= a->offset_us + a->spread_us + slack_us;
}

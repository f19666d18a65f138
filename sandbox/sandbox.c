/* What the API and the control port share that is more than data: the sandbox's own clock. */
#include "sandbox/sandbox.h"

#include "common/clock.h"

int64_t sandbox_now_us(const struct sandbox *s)
{
    return clock_wall_us() + s->options.clock_skew_s * US_PER_S;
}

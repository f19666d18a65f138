/* Reads the system's clocks, or those that a test put in their place. */
#include "common/clock.h"

#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;
    if (clock_gettime(id, &ts) != 0) {
        panic("clock_gettime(%d) failed", (int)id);
    }
    return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

static const struct clock_source *replacement;

int64_t clock_boot_us(void)
{
    return replacement != NULL ? replacement->boot_us() : read_clock(CLOCK_BOOTTIME);
}

int64_t clock_wall_us(void)
{
    return replacement != NULL ? replacement->wall_us() : read_clock(CLOCK_REALTIME);
}

void clock_set_source(const struct clock_source *source)
{
    replacement = source;
}

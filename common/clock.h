/* The clocks. Replaceable, so that tests live on simulated time. */
#ifndef SENDCODE_COMMON_CLOCK_H
#define SENDCODE_COMMON_CLOCK_H

#include "common/base.h"

/* CLOCK_BOOTTIME in microseconds: for every duration and time-out; goes on while suspended. */
int64_t clock_boot_us(void);

/* Unix time in microseconds, UTC: for display and for what the outside dates. Never for leases. */
int64_t clock_wall_us(void);

struct clock_source {
    int64_t (*boot_us)(void);
    int64_t (*wall_us)(void);
};

/* Test hook: NULL restores the system's clocks. The source must outlive its use. */
void clock_set_source(const struct clock_source *source);

#endif

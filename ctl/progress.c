/* On a terminal a bar that redraws itself, elsewhere a line now and then. */
#include "ctl/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "common/clock.h"

#define QUIET_US (2 * US_PER_S)
#define REDRAW_US (US_PER_S / 5)
#define LINE_US (5 * US_PER_S)
#define BAR_WIDTH 40

static void draw(struct progress *p, size_t done, int64_t now_us)
{
    static const char full[] = "########################################";
    int filled = p->total ? (int)(done * BAR_WIDTH / p->total) : BAR_WIDTH;

    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%s [%-*.*s] %zu/%zu", p->what, BAR_WIDTH, filled, full, done, p->total);
    else
        fprintf(stderr, "%s: %zu of %zu\n", p->what, done, p->total);
    p->shown_us = now_us;
}

void progress_start(struct progress *p, const char *what, size_t total)
{
    *p = (struct progress){.what = what, .total = total, .begun_us = clock_boot_us()};
}

void progress_show(struct progress *p, size_t done)
{
    int64_t now_us = clock_boot_us();
    int64_t period_us = isatty(STDERR_FILENO) ? REDRAW_US : LINE_US;

    if (now_us - p->begun_us >= QUIET_US && now_us - p->shown_us >= period_us)
        draw(p, done, now_us);
}

void progress_end(struct progress *p, size_t done)
{
    if (p->shown_us == 0)
        return;
    draw(p, done, clock_boot_us());
    if (isatty(STDERR_FILENO))
        fputc('\n', stderr);
}

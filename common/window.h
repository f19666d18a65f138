/*
 * A concurrency window (as postfix' qmgr and TCP): opens by one for each full window of successes,
 * halves on a throttle or failure, at most once for those requests that were under way together.
 */
#ifndef SENDCODE_COMMON_WINDOW_H
#define SENDCODE_COMMON_WINDOW_H

#include "common/base.h"

struct window {
    unsigned size; /* how many may be under way now, 1 … max */
    unsigned max;
    unsigned credit; /* successes since the last growth */
    unsigned ignore; /* answers still to come of requests that were under way at the last cut */
};

void window_init(struct window *w, unsigned max); /* starts fully open */
void window_set_max(struct window *w, unsigned max);
void window_on_success(struct window *w);
void window_on_failure(struct window *w, unsigned others); /* that are still under way */

#endif

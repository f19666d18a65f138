/* A progress bar on stderr, for what takes longer than two seconds. */
#ifndef SENDCODE_CTL_PROGRESS_H
#define SENDCODE_CTL_PROGRESS_H

#include "common/base.h"

struct progress {
    const char *what;
    size_t total;
    int64_t begun_us;
    int64_t shown_us; /* 0: not yet */
};

void progress_start(struct progress *p, const char *what, size_t total);
void progress_show(struct progress *p, size_t done); /* cheap; draws a few times a second at most */
void progress_end(struct progress *p, size_t done);

#endif

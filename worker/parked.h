/*
 * Parked jobs: those that were in doubt. Their offset is done; a row in the database keeps them,
 * and its lease says who looks after them (DESIGN.md section 5). Taken here, they are asked about
 * (settling) or, certainly unsent, go the way of any job once more; then the lease is given back.
 */
#ifndef SENDCODE_WORKER_PARKED_H
#define SENDCODE_WORKER_PARKED_H

#include "common/base.h"
#include "worker/ports/outcomes.h"

#define RELEASES_MAX 256

struct flight;
struct loop_timer;
struct pipeline;

struct parked {
    struct loop_timer *timer;
    bool due; /* to be taken */
    struct parked_release releases[RELEASES_MAX];
    size_t n_releases;
};

void parked_init(struct pipeline *p);
void parked_free(struct pipeline *p);

/* Gives leases back, takes new ones. */
void parked_pump(struct pipeline *p);
void parked_on_taken(void *arg, const struct parked_job *jobs, size_t n, int64_t asked_us);

/* Somebody may take it again after wait_us; a job that is final by then is done with. */
void parked_give_back(struct pipeline *p, const char *job_id, int64_t day_us, int64_t lease,
                      int64_t wait_us);

#endif

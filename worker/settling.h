/*
 * Settling: what became of a job in doubt is asked of the provider, by its records of the number,
 * and judged by the database, which knows every other job (DESIGN.md section 6). The evidence is
 * kept with the attempt. Nothing here sends.
 */
#ifndef SENDCODE_WORKER_SETTLING_H
#define SENDCODE_WORKER_SETTLING_H

#include "common/base.h"
#include "common/domain/job.h"
#include "common/log.h"
#include "worker/ports/outcomes.h"
#include "worker/ports/sender.h"

struct arena;
struct pipeline;

enum doubt_step {
    DOUBT_FREE,
    DOUBT_ASKED,    /* the provider */
    DOUBT_ANSWERED, /* by the provider */
    DOUBT_SETTLING, /* the database judges */
};

struct doubt {
    enum doubt_step step;
    struct settlement settlement; /* its texts live in the arena */
    struct arena *arena;
    int64_t taken_us; /* boot clock: the provider's times are told as from here */
};

struct settling {
    struct doubt doubts[QUERIES_MAX];
    uint64_t last_ticket;
    struct log_gate refused; /* the provider refuses the query itself */
};

void settling_init(struct settling *s);
void settling_free(struct settling *s);

/* How many more doubts may be taken. */
uint32_t settling_room(const struct pipeline *p);

/* A lease was taken, asked for at asked_us (boot clock). */
void settling_begin(struct pipeline *p, const struct parked_job *job, int64_t asked_us);

/* Has the next answer judged. */
void settling_pump(struct pipeline *p);
void settling_on_records(void *arg, uint64_t ticket, const struct records_answer *a);
void settling_on_settled(void *arg, const struct settlement_answer *a);

#endif

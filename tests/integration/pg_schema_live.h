/*
 * Both adapters on the real schema as sendcodectl makes it, with the rights of sendcode_worker and
 * nothing more.
 */
#ifndef SENDCODE_TESTS_INTEGRATION_PG_SCHEMA_LIVE_H
#define SENDCODE_TESTS_INTEGRATION_PG_SCHEMA_LIVE_H

#include "tests/integration/pg_claims_live.h"
#include "tests/integration/pg_outcomes_live.h"

struct schema_live {
    struct claims_live claims;
    struct outcomes_live outcomes;
    struct claim_answer send; /* the last answer to a job that may be sent */
    int outboxes;             /* answers to take_outbox … */
    size_t n_outbox;          /* … and their rows in all */
    bool may_be_ill;          /* else the outcomes' health fails the test */
};

void schema_live_start(struct schema_live *f);
void schema_live_stop(struct schema_live *f);

/* A new epoch for partition 0. */
int64_t schema_live_take_epoch(struct schema_live *f);

/* Claims these jobs, as claims_live notes it, in one batch, and waits for the answers. */
void schema_live_claim(struct schema_live *f, const struct claim_ask *asks, size_t n);

/* Claims "job-N", for each of the n numbers, of a phone and at an offset of its own: ticket N. */
void schema_live_claim_jobs(struct schema_live *f, int64_t epoch, const int *numbers, size_t n);

/* Records the outcome of an attempt of job-N: ticket N. */
void schema_live_record(struct schema_live *f, int number, int32_t attempt, int64_t epoch,
                        enum attempt_outcome outcome, enum job_state state);

#endif

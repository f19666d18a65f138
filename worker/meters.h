/* Every metric of the worker, by name (CONTRACT.md section 7). */
#ifndef SENDCODE_WORKER_METERS_H
#define SENDCODE_WORKER_METERS_H

#include "common/base.h"
#include "common/domain/job_state.h"
#include "worker/ports/conversions.h"
#include "worker/ports/outcomes.h"
#include "worker/ports/receipts.h"

struct metrics;
struct metric_cell;
struct metric_family;

/* X(SUFFIX, label): stages of sendcode_stage_seconds. */
#define STAGES(X)                                                                                  \
    X(WAIT, "wait")                                                                                \
    X(CLAIM, "claim")                                                                              \
    X(SEND, "send")                                                                                \
    X(RECORD, "record")                                                                            \
    X(ANNOUNCE, "announce")
#define STAGE_ENUM_(suffix, label) STAGE_##suffix,
enum stage { STAGES(STAGE_ENUM_) STAGE_COUNT };
#undef STAGE_ENUM_

struct meters {
    struct metrics *registry;
    struct metric_cell *jobs[JOB_STATE_COUNT]; /* sendcode_jobs_total{outcome} */
    struct metric_cell *invalid, *duplicate;   /* of the same family */
    struct metric_cell *attempts[ATTEMPT_OUTCOME_COUNT];
    struct metric_cell *settled[SETTLED_COUNT]; /* sendcode_settled_total{how} */
    /* sendcode_receipts_total{match}, sendcode_receipts_fetched_total{source} */
    struct metric_cell *receipts_joined, *receipts_repeat, *receipts_orphan;
    struct metric_cell *fetched[RECEIPT_SOURCE_COUNT];
    struct metric_cell *receipts_waiting;
    struct metric_cell
        *conversions[CONVERSION_FATE_COUNT]; /* sendcode_conversions_total{outcome} */
    struct metric_cell *publish_to_accept;
    struct metric_cell *stage[STAGE_COUNT];
    struct metric_cell *in_flight, *window, *rate_share, *in_doubt, *held, *loop_lag;
    struct metric_family *lag, *stopped, *dead_letters;
    struct metric_cell *duplicate_sends, *unkeyed, *limit_drift;
};

void meters_init(struct meters *m);
void meters_free(struct meters *m);

/* records < 0: the partition is not ours any more. */
void meters_set_lag(struct meters *m, int32_t partition, int64_t records);

#endif

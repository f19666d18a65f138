/* The worker's log lines about single jobs: one an outcome, job id first, phones masked. */
#ifndef SENDCODE_WORKER_JOBLOG_H
#define SENDCODE_WORKER_JOBLOG_H

#include "common/base.h"
#include "worker/ports/outcomes.h"

struct flight;
struct job_status;

void joblog_outcome(const struct flight *f, const struct job_status *s);
void joblog_invalid(const struct flight *f);
void joblog_duplicate_send(const struct flight *f);
void joblog_not_recorded(const struct flight *f, const char *why);
void joblog_odd_row(const struct flight *f, const char *topic, const char *why);
void joblog_settled(const struct job_status *s, enum settled how);
/* A carrier's receipt said what became of it. */
void joblog_receipt(const struct job_status *s);
/* Its rows contradict each other, by hand or by a bug: it is left as it is. */
void joblog_odd(const char *job_id);

#endif

/* The columns in which the database's functions say what a job is now. */
#ifndef SENDCODE_WORKER_PG_PG_STATUS_H
#define SENDCODE_WORKER_PG_PG_STATUS_H

#include "common/base.h"

struct job_status;
struct pg_result;

#define PG_STATUS_COLUMNS                                                                          \
    "job_id, phone, scene, state, reason, seq, provider_code, serial_no, attempt, retry_after, "   \
    "at, traceparent, tracestate"

/*
 * They stand from column `col` on. Texts are the result's; job_id NULL: the row names no job.
 * Returns NULL, or why not: a value is none that we know (a row edited by hand, a newer schema).
 */
NODISCARD const char *pg_status_read(const struct pg_result *r, int row, int col,
                                     struct job_status *out);

#endif

/* Reads PG_STATUS_COLUMNS. */
#include "worker/pg/pg_status.h"

#include "common/domain/job_status.h"
#include "common/pg/pg.h"

/* Places in PG_STATUS_COLUMNS. */
enum status_column {
    COL_JOB_ID,
    COL_PHONE,
    COL_SCENE,
    COL_STATE,
    COL_REASON,
    COL_SEQ,
    COL_PROVIDER_CODE,
    COL_SERIAL_NO,
    COL_ATTEMPT,
    COL_RETRY_AFTER,
    COL_AT,
    COL_TRACEPARENT,
    COL_TRACESTATE,
};

const char *pg_status_read(const struct pg_result *r, int row, int col, struct job_status *out)
{
    const char *state = pg_text(r, row, col + COL_STATE);
    const char *reason = pg_text(r, row, col + COL_REASON);

    *out = (struct job_status){.job_id = pg_text(r, row, col + COL_JOB_ID)};
    if (!out->job_id)
        return NULL;
    if (!state || !job_state_from_text(state, &out->state))
        return "its state in the database is none that this program knows";
    if (reason && !job_reason_from_text(reason, &out->reason))
        return "its reason in the database is none that this program knows";
    out->phone = pg_text(r, row, col + COL_PHONE);
    out->scene = pg_text(r, row, col + COL_SCENE);
    out->seq = pg_i32(r, row, col + COL_SEQ);
    out->attempt = pg_i32(r, row, col + COL_ATTEMPT);
    out->provider_code = pg_text(r, row, col + COL_PROVIDER_CODE);
    out->serial_no = pg_text(r, row, col + COL_SERIAL_NO);
    out->has_retry_after = !pg_null(r, row, col + COL_RETRY_AFTER);
    out->retry_after = pg_i32(r, row, col + COL_RETRY_AFTER);
    out->at_us = pg_time_us(r, row, col + COL_AT);
    out->traceparent = pg_text(r, row, col + COL_TRACEPARENT);
    out->tracestate = pg_text(r, row, col + COL_TRACESTATE);
    return NULL;
}

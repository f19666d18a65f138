/* Columns of outcomes and notes. */
#include "worker/pg/pg_record.h"

#include "worker/pg/pg_batch.h"
#include "worker/pg/pg_status.h"
#include "worker/ports/outcomes.h"

/* X(SUFFIX, parameter, type) */
#define RECORD_COLUMNS(X)                                                                          \
    X(JOB_ID, "p_job_id", PG_TEXT)                                                                 \
    X(DAY, "p_day", PG_DATE)                                                                       \
    X(PARTITION, "p_partition", PG_INT4)                                                           \
    X(EPOCH, "p_epoch", PG_INT8)                                                                   \
    X(ATTEMPT, "p_attempt", PG_INT4)                                                               \
    X(AGE_MS, "p_age_ms", PG_INT8)                                                                 \
    X(DURATION_MS, "p_duration_ms", PG_INT4)                                                       \
    X(OUTCOME, "p_outcome", PG_TEXT)                                                               \
    X(STATE, "p_state", PG_TEXT)                                                                   \
    X(REASON, "p_reason", PG_TEXT)                                                                 \
    X(RETRY_AFTER, "p_retry_after", PG_INT4)                                                       \
    X(HTTP_STATUS, "p_http_status", PG_INT4)                                                       \
    X(PROVIDER_CODE, "p_provider_code", PG_TEXT)                                                   \
    X(REQUEST_ID, "p_request_id", PG_TEXT)                                                         \
    X(SERIAL_NO, "p_serial_no", PG_TEXT)                                                           \
    X(FEE, "p_fee", PG_INT4)                                                                       \
    X(PROOF, "p_proof", PG_BYTEA)
#define NOTE_COLUMNS(X)                                                                            \
    X(PARTITION, "p_partition", PG_INT4)                                                           \
    X(INCARNATION, "p_incarnation", PG_INT4)                                                       \
    X(OFFSET, "p_offset", PG_INT8)                                                                 \
    X(REASON, "p_reason", PG_TEXT)                                                                 \
    X(GAP_END, "p_gap_end", PG_INT8)
#define RECORD_ENUM_(suffix, name, type) RECORD_##suffix,
#define NOTE_ENUM_(suffix, name, type) NOTE_##suffix,
#define COLUMN_ROW_(suffix, name, type) {name, type},
enum record_column { RECORD_COLUMNS(RECORD_ENUM_) RECORD_COLUMN_COUNT };
enum note_column { NOTE_COLUMNS(NOTE_ENUM_) NOTE_COLUMN_COUNT };
static const struct pg_column record_columns[] = {RECORD_COLUMNS(COLUMN_ROW_)};
static const struct pg_column note_columns[] = {NOTE_COLUMNS(COLUMN_ROW_)};
#undef RECORD_ENUM_
#undef NOTE_ENUM_
#undef COLUMN_ROW_

/* Places in record's answer. */
enum answer_column { ANSWER_IDX, ANSWER_APPLIED, ANSWER_DUPLICATE_SEND, ANSWER_STATUS };
static const char record_head[] = "select idx, applied, duplicate_send, " PG_STATUS_COLUMNS
                                  " from sendcode.record(p_worker => $1::text, p_topic => $2::text";
static const char note_head[] = "select sendcode.note_records(p_topic => $1::text";

void pg_record_init(struct pg_batch *b)
{
    pg_batch_init(b, record_head, PG_RECORD_SCALARS, record_columns, RECORD_COLUMN_COUNT);
}

static const char *text_or_null(const char *s)
{
    return s && *s ? s : NULL;
}

void pg_record_add(struct pg_batch *b, const struct outcome *row)
{
    struct pg_array *a = b->whole;

    pg_array_add_text(&a[RECORD_JOB_ID], row->job_id);
    pg_array_add_date(&a[RECORD_DAY], row->day_us);
    pg_array_add_i32(&a[RECORD_PARTITION], row->partition);
    pg_array_add_i64(&a[RECORD_EPOCH], row->epoch);
    pg_array_add_i32(&a[RECORD_ATTEMPT], row->attempt);
    pg_array_add_i64(&a[RECORD_AGE_MS], row->age_us / US_PER_MS);
    pg_array_add_i32(&a[RECORD_DURATION_MS], (int32_t)MIN(row->duration_us / US_PER_MS, INT32_MAX));
    pg_array_add_text(&a[RECORD_OUTCOME], attempt_outcome_to_text(row->outcome));
    pg_array_add_text(&a[RECORD_STATE], job_state_to_text(row->state));
    pg_array_add_text(&a[RECORD_REASON], job_reason_to_text(row->reason));
    if (row->has_retry_after)
        pg_array_add_i32(&a[RECORD_RETRY_AFTER], row->retry_after);
    else
        pg_array_add_null(&a[RECORD_RETRY_AFTER]);
    if (row->http_status)
        pg_array_add_i32(&a[RECORD_HTTP_STATUS], row->http_status);
    else
        pg_array_add_null(&a[RECORD_HTTP_STATUS]);
    pg_array_add_text(&a[RECORD_PROVIDER_CODE], text_or_null(row->provider_code));
    pg_array_add_text(&a[RECORD_REQUEST_ID], text_or_null(row->request_id));
    pg_array_add_text(&a[RECORD_SERIAL_NO], text_or_null(row->serial_no));
    pg_array_add_i32(&a[RECORD_FEE], row->fee);
    pg_array_add_bytes(&a[RECORD_PROOF], row->proof, sizeof row->proof);
}

void pg_record_set_ages(struct pg_batch *b, const int64_t *began_us, int64_t now_us)
{
    struct pg_array *ages = &b->whole[RECORD_AGE_MS];
    int32_t n = ages->n;

    pg_array_clear(ages);
    for (int32_t i = 0; i < n; i++)
        pg_array_add_i64(ages, (now_us - began_us[i]) / US_PER_MS);
}

int32_t pg_record_read(const struct pg_result *r, int row, int32_t n, struct outcome_answer *out)
{
    int32_t idx = pg_i32(r, row, ANSWER_IDX);

    if (idx < 1 || idx > n)
        panic("sendcode.record answered a row %d of %d", idx, n);
    *out = (struct outcome_answer){
        .applied = pg_bool(r, row, ANSWER_APPLIED),
        .duplicate_send = pg_bool(r, row, ANSWER_DUPLICATE_SEND),
    };
    out->why = pg_status_read(r, row, ANSWER_STATUS, &out->status);
    if (out->why)
        *out = (struct outcome_answer){.odd_row = true, .why = out->why};
    return idx - 1;
}

void pg_note_init(struct pg_batch *b)
{
    pg_batch_init(b, note_head, PG_NOTE_SCALARS, note_columns, NOTE_COLUMN_COUNT);
}

void pg_note_add(struct pg_batch *b, const struct note *note)
{
    struct pg_array *a = b->whole;

    pg_array_add_i32(&a[NOTE_PARTITION], note->partition);
    pg_array_add_i32(&a[NOTE_INCARNATION], note->incarnation);
    pg_array_add_i64(&a[NOTE_OFFSET], note->offset);
    pg_array_add_text(&a[NOTE_REASON], note->reason);
    if (note->reason)
        pg_array_add_null(&a[NOTE_GAP_END]);
    else
        pg_array_add_i64(&a[NOTE_GAP_END], note->gap_end);
}

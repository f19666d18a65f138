/*
 * Outcomes over PostgreSQL. All requests are idempotent, so that a lost answer is only asked for
 * again; outcomes and notes are batches that are halved when the server refuses a row.
 */
#include "worker/pg/pg_outcomes.h"

#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/pg/pg_array.h"
#include "common/settings/settings.h"
#include "worker/pg/pg_batch.h"
#include "worker/pg/pg_session.h"
#include "worker/pg/pg_status.h"

#define OUTBOX_ROWS 256 /* a call */

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
#define RECORD_SCALARS 2
static const char record_head[] = "select idx, applied, duplicate_send, " PG_STATUS_COLUMNS
                                  " from sendcode.record(p_worker => $1::text, p_topic => $2::text";
#define NOTE_SCALARS 1
static const char note_head[] = "select sendcode.note_records(p_topic => $1::text";

static const char outbox_take_sql[] =
    "select id, " PG_STATUS_COLUMNS " from sendcode.outbox_take(p_limit => $1::int)";
static const char outbox_done_sql[] = "select sendcode.outbox_done(p_ids => $1::bigint[])";
static const char sweep_sql[] = "select in_doubt from sendcode.sweep()";

#define OUTCOME_TEXT_(suffix, text) [ATTEMPT_##suffix] = text,
static const char *const outcome_texts[] = {ATTEMPT_OUTCOMES(OUTCOME_TEXT_)};
#undef OUTCOME_TEXT_

enum request {
    REQUEST_NONE,
    REQUEST_RECORD,
    REQUEST_NOTE,
    REQUEST_OUTBOX_TAKE,
    REQUEST_OUTBOX_DONE,
    REQUEST_SWEEP,
};

struct pg_outcomes {
    struct pg_session *session;
    struct outcomes_handlers handlers;
    char *worker, *topic;
    enum request under_way;
    struct pg_batch records, notes;
    struct pg_array outbox_ids;
    struct pg_scalar outbox_limit;
    uint64_t tickets[RECORD_BATCH_MAX]; /* of the records or notes under way */
    struct outcome_answer answers[RECORD_BATCH_MAX];
};

static void begin(struct pg_outcomes *o, enum request request, size_t n)
{
    if (o->under_way != REQUEST_NONE)
        panic("a request of kind %d while one of kind %d is under way", request, o->under_way);
    if ((request == REQUEST_RECORD || request == REQUEST_NOTE) && (n == 0 || n > RECORD_BATCH_MAX))
        panic("a batch of %zu rows", n);
    o->under_way = request;
}

static const char *text_or_null(const char *s)
{
    return s && *s ? s : NULL;
}

static void add_record(struct pg_array *a, const struct outcome *row)
{
    pg_array_add_text(&a[RECORD_JOB_ID], row->job_id);
    pg_array_add_date(&a[RECORD_DAY], row->day_us);
    pg_array_add_i32(&a[RECORD_PARTITION], row->partition);
    pg_array_add_i64(&a[RECORD_EPOCH], row->epoch);
    pg_array_add_i32(&a[RECORD_ATTEMPT], row->attempt);
    pg_array_add_i64(&a[RECORD_AGE_MS], row->age_us / US_PER_MS);
    pg_array_add_i32(&a[RECORD_DURATION_MS], (int32_t)MIN(row->duration_us / US_PER_MS, INT32_MAX));
    pg_array_add_text(&a[RECORD_OUTCOME], outcome_texts[row->outcome]);
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

static void ask_records(struct pg_outcomes *o)
{
    struct pg_param params[RECORD_SCALARS + RECORD_COLUMN_COUNT];

    params[0] = pg_param_text(o->worker);
    params[1] = pg_param_text(o->topic);
    pg_batch_params(&o->records, params + RECORD_SCALARS);
    pg_session_ask(o->session, o->records.sql, params, ARRAY_LEN(params), true);
}

static void port_record(void *self, const struct outcome *rows, size_t n)
{
    struct pg_outcomes *o = self;

    begin(o, REQUEST_RECORD, n);
    pg_batch_clear(&o->records);
    for (size_t i = 0; i < n; i++) {
        o->tickets[i] = rows[i].ticket;
        add_record(o->records.whole, &rows[i]);
    }
    pg_batch_start(&o->records, n);
    ask_records(o);
}

static void ask_notes(struct pg_outcomes *o)
{
    struct pg_param params[NOTE_SCALARS + NOTE_COLUMN_COUNT];

    params[0] = pg_param_text(o->topic);
    pg_batch_params(&o->notes, params + NOTE_SCALARS);
    pg_session_ask(o->session, o->notes.sql, params, ARRAY_LEN(params), true);
}

static void port_note(void *self, const struct note *notes, size_t n)
{
    struct pg_outcomes *o = self;
    struct pg_array *a = o->notes.whole;

    begin(o, REQUEST_NOTE, n);
    pg_batch_clear(&o->notes);
    for (size_t i = 0; i < n; i++) {
        o->tickets[i] = notes[i].ticket;
        pg_array_add_i32(&a[NOTE_PARTITION], notes[i].partition);
        pg_array_add_i32(&a[NOTE_INCARNATION], notes[i].incarnation);
        pg_array_add_i64(&a[NOTE_OFFSET], notes[i].offset);
        pg_array_add_text(&a[NOTE_REASON], notes[i].reason);
        if (notes[i].reason)
            pg_array_add_null(&a[NOTE_GAP_END]);
        else
            pg_array_add_i64(&a[NOTE_GAP_END], notes[i].gap_end);
    }
    pg_batch_start(&o->notes, n);
    ask_notes(o);
}

static void port_take_outbox(void *self)
{
    struct pg_outcomes *o = self;
    struct pg_param limit = pg_param_i32(&o->outbox_limit, OUTBOX_ROWS);

    begin(o, REQUEST_OUTBOX_TAKE, 0);
    pg_session_ask(o->session, outbox_take_sql, &limit, 1, false);
}

static void port_outbox_done(void *self, const int64_t *ids, size_t n)
{
    struct pg_outcomes *o = self;
    struct pg_param param;

    begin(o, REQUEST_OUTBOX_DONE, 0);
    pg_array_clear(&o->outbox_ids);
    for (size_t i = 0; i < n; i++)
        pg_array_add_i64(&o->outbox_ids, ids[i]);
    param = pg_array_param(&o->outbox_ids);
    pg_session_ask(o->session, outbox_done_sql, &param, 1, false);
}

static void port_sweep(void *self)
{
    struct pg_outcomes *o = self;

    begin(o, REQUEST_SWEEP, 0);
    pg_session_ask(o->session, sweep_sql, NULL, 0, false);
}

static void deliver_records(struct pg_outcomes *o, const struct pg_result *r)
{
    const struct pg_batch *b = &o->records;

    if (pg_rows(r) != b->n)
        panic("sendcode.record answered %d rows of %d", pg_rows(r), b->n);
    for (int row = 0; row < b->n; row++) {
        int32_t idx = pg_i32(r, row, ANSWER_IDX);
        if (idx < 1 || idx > b->n)
            panic("sendcode.record answered a row %d of %d", idx, b->n);
        o->answers[row] = (struct outcome_answer){
            .ticket = o->tickets[b->from + idx - 1],
            .applied = pg_bool(r, row, ANSWER_APPLIED),
            .duplicate_send = pg_bool(r, row, ANSWER_DUPLICATE_SEND),
        };
        pg_status_read(r, row, ANSWER_STATUS, &o->answers[row].status);
    }
    o->handlers.recorded(o->handlers.arg, o->answers, (size_t)b->n);
}

static void deliver_outbox(struct pg_outcomes *o, const struct pg_result *r)
{
    size_t n = (size_t)pg_rows(r);
    struct outbox_row *rows = mem_must_alloc((n + 1) * sizeof *rows);

    for (size_t i = 0; i < n; i++) {
        rows[i].id = pg_i64(r, (int)i, 0);
        pg_status_read(r, (int)i, 1, &rows[i].status);
    }
    o->handlers.outbox(o->handlers.arg, rows, n);
    mem_free(rows);
}

static void ask_rest_of_batch(struct pg_outcomes *o)
{
    bool records = o->under_way == REQUEST_RECORD;

    if (!pg_batch_next(records ? &o->records : &o->notes))
        o->under_way = REQUEST_NONE;
    else if (records)
        ask_records(o);
    else
        ask_notes(o);
}

static void on_answered(void *arg, const struct pg_result *r)
{
    struct pg_outcomes *o = arg;

    switch (o->under_way) {
    case REQUEST_RECORD:
        deliver_records(o, r);
        ask_rest_of_batch(o);
        return;
    case REQUEST_NOTE:
        o->handlers.noted(o->handlers.arg, o->tickets + o->notes.from, (size_t)o->notes.n);
        ask_rest_of_batch(o);
        return;
    case REQUEST_OUTBOX_TAKE:
        deliver_outbox(o, r);
        break;
    case REQUEST_SWEEP:
        if (pg_rows(r) > 0)
            o->handlers.in_doubt(o->handlers.arg, pg_i64(r, 0, 0));
        o->handlers.swept(o->handlers.arg);
        break;
    case REQUEST_OUTBOX_DONE:
    case REQUEST_NONE:
    default:
        break;
    }
    o->under_way = REQUEST_NONE;
}

/* A single row that PostgreSQL does not take must not hold up the others. */
static void give_row_up(struct pg_outcomes *o, const char *sqlstate)
{
    if (o->under_way == REQUEST_RECORD) {
        o->answers[0] = (struct outcome_answer){
            .ticket = o->tickets[o->records.from],
            .refused_row = true,
        };
        o->handlers.recorded(o->handlers.arg, o->answers, 1);
    } else {
        log_error("PostgreSQL refuses the note of a record that is no job",
                  LS("sqlstate", sqlstate));
        o->handlers.noted(o->handlers.arg, o->tickets + o->notes.from, 1);
    }
}

static void on_row_refused(void *arg, const char *sqlstate)
{
    struct pg_outcomes *o = arg;
    bool records = o->under_way == REQUEST_RECORD;

    if (!pg_batch_halve(records ? &o->records : &o->notes)) {
        give_row_up(o, sqlstate);
        ask_rest_of_batch(o);
    } else if (records) {
        ask_records(o);
    } else {
        ask_notes(o);
    }
}

static void on_idle(void *arg)
{
    struct pg_outcomes *o = arg;
    o->handlers.idle(o->handlers.arg);
}

static void on_health(void *arg, const char *why)
{
    struct pg_outcomes *o = arg;
    o->handlers.health(o->handlers.arg, why);
}

static bool port_can_ask(void *self)
{
    const struct pg_outcomes *o = self;
    return o->under_way == REQUEST_NONE && pg_session_can_ask(o->session);
}

struct outcomes pg_outcomes_port(struct pg_outcomes *o)
{
    return (struct outcomes){
        .self = o,
        .can_ask = port_can_ask,
        .record = port_record,
        .note = port_note,
        .take_outbox = port_take_outbox,
        .outbox_done = port_outbox_done,
        .sweep = port_sweep,
    };
}

struct pg_outcomes *pg_outcomes_new(struct loop *l, const struct settings *s,
                                    const struct outcomes_handlers *h, struct err *e)
{
    struct pg_outcomes *o = mem_must_alloc(sizeof *o);
    struct pg_session_handlers handlers = {
        .arg = o,
        .answered = on_answered,
        .row_refused = on_row_refused,
        .idle = on_idle,
        .health = on_health,
    };

    o->handlers = *h;
    o->worker = mem_must_strdup(s->worker.name);
    o->topic = mem_must_strdup(s->topics.jobs);
    pg_batch_init(&o->records, record_head, RECORD_SCALARS, record_columns, RECORD_COLUMN_COUNT);
    pg_batch_init(&o->notes, note_head, NOTE_SCALARS, note_columns, NOTE_COLUMN_COUNT);
    pg_array_init(&o->outbox_ids, PG_INT8);
    o->session = pg_session_new(l, s, &handlers, e);
    if (!o->session) {
        pg_outcomes_free(o);
        return NULL;
    }
    return o;
}

void pg_outcomes_free(struct pg_outcomes *o)
{
    if (!o)
        return;
    pg_session_free(o->session);
    pg_batch_free(&o->records);
    pg_batch_free(&o->notes);
    pg_array_free(&o->outbox_ids);
    mem_free(o->worker);
    mem_free(o->topic);
    mem_free(o);
}

/*
 * Claims over PostgreSQL. A batch goes as one array a column; each batch, and each half of one,
 * has a claim id of its own, by which the database knows a repeated question.
 */
#include "worker/pg/pg_claims.h"

#include <string.h>
#include <sys/random.h>

#include "common/loop.h"
#include "common/mem.h"
#include "common/pg/pg_array.h"
#include "common/pg/pg_session.h"
#include "common/settings/settings.h"
#include "worker/pg/pg_batch.h"
#include "worker/pg/pg_claims_call.h"
#include "worker/pg/pg_status.h"
#include "worker/pg/pg_worker_session.h"

/* What is between a request's last possible answer and the moment others may take its job over. */
#define TAKEOVER_MARGIN_S 2

#define COLUMN_ENUM_(suffix, name, type) COL_##suffix,
#define COLUMN_ROW_(suffix, name, type) {name, type},
enum claim_column { CLAIM_COLUMNS(COLUMN_ENUM_) COL_COUNT };
static const struct pg_column columns[] = {CLAIM_COLUMNS(COLUMN_ROW_)};
#undef COLUMN_ENUM_
#undef COLUMN_ROW_

static const char epochs_sql[] =
    "select part, epoch, incarnation, next_offset from sendcode.take_epochs(p_topic => $1::text, "
    "p_partitions => $2::int[], p_restarted => $3::bool[], p_worker => $4::text)";

static const char *const verdicts[] = {
    [CLAIM_SEND] = "send",           [CLAIM_DECIDED] = "decided", [CLAIM_KNOWN] = "known",
    [CLAIM_DUPLICATE] = "duplicate", [CLAIM_BUSY] = "busy",       [CLAIM_WAIT] = "wait",
    [CLAIM_FENCED] = "fenced",       [CLAIM_FUTURE] = "future",
};

enum request { REQUEST_NONE, REQUEST_EPOCHS, REQUEST_CLAIM };

struct pg_claims {
    struct pg_session *session;
    struct claims_handlers handlers;
    char *worker, *topic;
    enum request under_way;

    struct pg_array partitions, restarted;

    struct pg_batch batch;
    struct pg_array known_keys;
    uint8_t claim_id[16];
    int32_t takeover_ms, not_after_ms; /* for the next batch, as the ids of the known keys */
    int32_t limits[CLAIM_LIMITS];      /* in the order of CLAIM_HEAD */
    uint8_t key_ids[SETTINGS_KEYS_MAX][4];
    size_t n_key_ids;
    struct pg_scalar takeover_slot, not_after_slot, limit_slots[CLAIM_LIMITS];
    uint64_t tickets[CLAIM_BATCH_MAX];
    struct claim_answer answers[CLAIM_BATCH_MAX];
};

static void add_row(struct pg_array *a, const struct claim_ask *ask)
{
    const struct job *job = ask->job;
    const struct scene *scene = job->scene;

    pg_array_add_i32(&a[COL_PARTITION], ask->partition);
    pg_array_add_i64(&a[COL_OFFSET], ask->offset);
    pg_array_add_i32(&a[COL_INCARNATION], ask->incarnation);
    pg_array_add_i64(&a[COL_EPOCH], ask->epoch);
    pg_array_add_text(&a[COL_JOB_ID], job->job_id);
    pg_array_add_text(&a[COL_PHONE], job->phone);
    pg_array_add_text(&a[COL_SCENE], job->scene_name);
    pg_array_add_time(&a[COL_REQUESTED_AT], job->requested_at_us);
    pg_array_add_time(&a[COL_DEADLINE], job->deadline_us);
    pg_array_add_text(&a[COL_LOCALE], job->locale);
    pg_array_add_text(&a[COL_CLIENT_IP], job->client_ip);
    pg_array_add_text(&a[COL_TRACEPARENT], job->traceparent);
    pg_array_add_text(&a[COL_TRACESTATE], job->tracestate);
    pg_array_add_text(&a[COL_REFUSAL], job_reason_to_text(ask->refusal));
    pg_array_add_i32(&a[COL_TTL], (int32_t)scene->ttl);
    pg_array_add_bool(&a[COL_RESEND_SAME], scene->resend_same);
    pg_array_add_i32(&a[COL_CODE_LENGTH], (int32_t)scene->code_length);
    pg_array_add_i32(&a[COL_COOLDOWN], (int32_t)scene->cooldown);
    pg_array_add_i32(&a[COL_PER_HOUR], (int32_t)scene->per_hour);
    pg_array_add_i32(&a[COL_PER_DAY], (int32_t)scene->per_day);
    pg_array_add_i32(&a[COL_MAX_TRIES], (int32_t)scene->max_tries);
    pg_array_add_i32(&a[COL_TRIES_WINDOW], (int32_t)scene->tries_window);
    pg_array_add_i32(&a[COL_MAX_TRIES_DAY], (int32_t)scene->max_tries_day);
    pg_array_add_bytes(&a[COL_NONCE], ask->nonce, sizeof ask->nonce);
    pg_array_add_bytes(&a[COL_PROOF], ask->proof, sizeof ask->proof);
    pg_array_add_bytes(&a[COL_KEY_ID], ask->key_id, sizeof ask->key_id);
}

/* Asks for the rows that the batch has in hand. */
static void ask_claim(struct pg_claims *c)
{
    struct pg_param params[CLAIM_SCALARS + COL_COUNT];

    if (getrandom(c->claim_id, sizeof c->claim_id, 0) != sizeof c->claim_id)
        panic("getrandom gave nothing");
    params[0] = pg_param_bytes(c->claim_id, sizeof c->claim_id);
    params[1] = pg_param_text(c->worker);
    params[2] = pg_param_text(c->topic);
    params[3] = pg_param_i32(&c->takeover_slot, c->takeover_ms);
    params[4] = pg_param_i32(&c->not_after_slot, c->not_after_ms);
    params[5] = pg_array_param(&c->known_keys);
    for (size_t i = 0; i < CLAIM_LIMITS; i++)
        params[6 + i] = pg_param_i32(&c->limit_slots[i], c->limits[i]);
    pg_batch_params(&c->batch, params + CLAIM_SCALARS);
    pg_session_ask(c->session, c->batch.sql, params, ARRAY_LEN(params), true);
}

static void port_claim(void *self, const struct claim_ask *asks, size_t n)
{
    struct pg_claims *c = self;

    if (c->under_way != REQUEST_NONE || n == 0 || n > CLAIM_BATCH_MAX)
        panic("a claim of %zu jobs, or while another request is under way", n);
    c->under_way = REQUEST_CLAIM;
    pg_array_clear(&c->known_keys);
    for (size_t i = 0; i < c->n_key_ids; i++)
        pg_array_add_bytes(&c->known_keys, c->key_ids[i], sizeof c->key_ids[i]);
    pg_batch_clear(&c->batch);
    for (size_t i = 0; i < n; i++) {
        c->tickets[i] = asks[i].ticket;
        add_row(c->batch.whole, &asks[i]);
    }
    pg_batch_start(&c->batch, n);
    ask_claim(c);
}

static enum claim_verdict read_verdict(const struct pg_result *r, int row)
{
    const char *text = pg_text(r, row, ANSWER_VERDICT);

    for (size_t i = 0; text && i < ARRAY_LEN(verdicts); i++) {
        if (strcmp(verdicts[i], text) == 0)
            return (enum claim_verdict)i;
    }
    panic("sendcode.claim gave a verdict that is not known: %s", text ? text : "none");
}

static void read_bytes(const struct pg_result *r, int row, int col, uint8_t *out, size_t size)
{
    size_t len;
    const uint8_t *bytes = pg_bytes(r, row, col, &len);

    if (len == size)
        memcpy(out, bytes, size);
    else if (bytes)
        panic("sendcode.claim gave %zu bytes in place of %zu", len, size);
}

static void read_answer(const struct pg_result *r, int row, struct claim_answer *out)
{
    *out = (struct claim_answer){
        .ticket = out->ticket,
        .verdict = read_verdict(r, row),
        .wait_us = pg_i64(r, row, ANSWER_WAIT_MS) * US_PER_MS,
        .day_us = pg_date_us(r, row, ANSWER_DAY),
        .deadline_in_us = pg_i64(r, row, ANSWER_DEADLINE_IN_MS) * US_PER_MS,
        .life_us = pg_i64(r, row, ANSWER_LIFE_MS) * US_PER_MS,
        .code_length = pg_i32(r, row, ANSWER_CODE_LENGTH),
    };
    read_bytes(r, row, ANSWER_NONCE, out->nonce, sizeof out->nonce);
    read_bytes(r, row, ANSWER_PROOF, out->proof, sizeof out->proof);
    read_bytes(r, row, ANSWER_KEY_ID, out->key_id, sizeof out->key_id);
    out->why = pg_status_read(r, row, ANSWER_STATUS, &out->status);
    if (out->why)
        out->verdict = CLAIM_ROW_ODD;
}

static void deliver_claims(struct pg_claims *c, const struct pg_result *r)
{
    const struct pg_batch *b = &c->batch;

    if (pg_rows(r) != b->n)
        panic("sendcode.claim answered %d rows of %d", pg_rows(r), b->n);
    for (int row = 0; row < b->n; row++) {
        int32_t idx = pg_i32(r, row, ANSWER_IDX);
        if (idx < 1 || idx > b->n)
            panic("sendcode.claim answered a row %d of %d", idx, b->n);
        c->answers[row].ticket = c->tickets[b->from + idx - 1];
        read_answer(r, row, &c->answers[row]);
    }
    c->handlers.claimed(c->handlers.arg, c->answers, (size_t)b->n);
}

static void ask_next_claim(struct pg_claims *c)
{
    if (pg_batch_next(&c->batch))
        ask_claim(c);
    else
        c->under_way = REQUEST_NONE;
}

static void on_row_refused(void *arg, const struct pg_row_refusal *why)
{
    struct pg_claims *c = arg;

    if (pg_batch_halve(&c->batch)) {
        ask_claim(c);
        return;
    }
    c->answers[0] = (struct claim_answer){
        .ticket = c->tickets[c->batch.from],
        .verdict = why->of_data ? CLAIM_ROW_REFUSED : CLAIM_ROW_ODD,
        .why = why->text,
    };
    c->handlers.claimed(c->handlers.arg, c->answers, 1);
    ask_next_claim(c);
}

static void port_take_epochs(void *self, const struct epoch_ask *asks, size_t n)
{
    struct pg_claims *c = self;
    struct pg_param params[4];

    if (c->under_way != REQUEST_NONE || n == 0)
        panic("epochs of %zu partitions, or while another request is under way", n);
    c->under_way = REQUEST_EPOCHS;
    pg_array_clear(&c->partitions);
    pg_array_clear(&c->restarted);
    for (size_t i = 0; i < n; i++) {
        pg_array_add_i32(&c->partitions, asks[i].partition);
        pg_array_add_bool(&c->restarted, asks[i].restarted);
    }
    params[0] = pg_param_text(c->topic);
    params[1] = pg_array_param(&c->partitions);
    params[2] = pg_array_param(&c->restarted);
    params[3] = pg_param_text(c->worker);
    pg_session_ask(c->session, epochs_sql, params, ARRAY_LEN(params), false);
}

static void deliver_epochs(struct pg_claims *c, const struct pg_result *r)
{
    size_t n = (size_t)pg_rows(r);
    struct epoch_answer *answers = mem_must_alloc((n + 1) * sizeof *answers);

    for (size_t i = 0; i < n; i++) {
        answers[i] = (struct epoch_answer){
            .partition = pg_i32(r, (int)i, 0),
            .epoch = pg_i64(r, (int)i, 1),
            .incarnation = pg_i32(r, (int)i, 2),
            .next_offset = pg_i64(r, (int)i, 3),
        };
    }
    c->handlers.epochs(c->handlers.arg, answers, n);
    mem_free(answers);
    c->under_way = REQUEST_NONE;
}

static void on_answered(void *arg, const struct pg_result *r)
{
    struct pg_claims *c = arg;

    if (c->under_way == REQUEST_EPOCHS) {
        deliver_epochs(c, r);
    } else {
        deliver_claims(c, r);
        ask_next_claim(c);
    }
}

static void on_idle(void *arg)
{
    struct pg_claims *c = arg;
    c->handlers.idle(c->handlers.arg);
}

static void on_health(void *arg, const char *why)
{
    struct pg_claims *c = arg;
    c->handlers.health(c->handlers.arg, why);
}

static void on_schema_fault(void *arg, const char *why)
{
    struct pg_claims *c = arg;
    if (c->handlers.schema_fault)
        c->handlers.schema_fault(c->handlers.arg, why);
}

static bool port_can_ask(void *self)
{
    const struct pg_claims *c = self;
    return c->under_way == REQUEST_NONE && pg_session_can_ask(c->session);
}

void pg_claims_set_settings(struct pg_claims *c, const struct settings *s)
{
    int64_t takeover_s = s->worker.start_budget + s->tencent.timeout + TAKEOVER_MARGIN_S;
    int64_t not_after_s = s->worker.start_budget + s->tencent.signature_life;
    const int64_t limits[CLAIM_LIMITS] = {
        s->limits.phone_per_day,    s->limits.address_per_hour,  s->limits.address_per_day,
        s->limits.provider_per_day, s->limits.provider_interval,
    };

    c->takeover_ms = (int32_t)(takeover_s * 1000);
    c->not_after_ms = (int32_t)(not_after_s * 1000);
    for (size_t i = 0; i < CLAIM_LIMITS; i++)
        c->limits[i] = (int32_t)limits[i];
    c->n_key_ids = s->secrets.code.n;
    for (size_t i = 0; i < c->n_key_ids; i++)
        memcpy(c->key_ids[i], s->secrets.code.keys[i].id, sizeof c->key_ids[i]);
}

struct claims pg_claims_port(struct pg_claims *c)
{
    return (struct claims){
        .self = c,
        .can_ask = port_can_ask,
        .take_epochs = port_take_epochs,
        .claim = port_claim,
    };
}

struct pg_claims *pg_claims_new(struct loop *l, const struct settings *s,
                                const struct claims_handlers *h, struct err *e)
{
    struct pg_claims *c = mem_must_alloc(sizeof *c);
    struct pg_session_handlers handlers = {
        .arg = c,
        .answered = on_answered,
        .row_refused = on_row_refused,
        .idle = on_idle,
        .health = on_health,
        .schema_fault = on_schema_fault,
    };

    c->handlers = *h;
    c->worker = mem_must_strdup(s->worker.name);
    c->topic = mem_must_strdup(s->topics.jobs);
    pg_claims_set_settings(c, s);
    pg_batch_init(&c->batch, CLAIM_HEAD, CLAIM_SCALARS, columns, COL_COUNT);
    pg_array_init(&c->partitions, PG_INT4);
    pg_array_init(&c->restarted, PG_BOOL);
    pg_array_init(&c->known_keys, PG_BYTEA);
    c->session = pg_worker_session_new(l, s, &handlers, e);
    if (!c->session) {
        pg_claims_free(c);
        return NULL;
    }
    return c;
}

void pg_claims_free(struct pg_claims *c)
{
    if (!c)
        return;
    pg_session_free(c->session);
    pg_batch_free(&c->batch);
    pg_array_free(&c->partitions);
    pg_array_free(&c->restarted);
    pg_array_free(&c->known_keys);
    mem_free(c->worker);
    mem_free(c->topic);
    mem_free(c);
}

/*
 * Outcomes over PostgreSQL. All requests are idempotent, so that a lost answer is only asked for
 * again; outcomes and notes are batches that are halved when the server refuses a row.
 */
#include "worker/pg/pg_outcomes.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/pg/pg_session.h"
#include "common/settings/settings.h"
#include "worker/pg/pg_batch.h"
#include "worker/pg/pg_chores.h"
#include "worker/pg/pg_parked.h"
#include "worker/pg/pg_record.h"
#include "worker/pg/pg_worker_session.h"

#define SAY_AGAIN_US (60 * US_PER_S)

/* X(SUFFIX, the database's function) */
#define REQUESTS(X)                                                                                \
    X(NONE, "nothing")                                                                             \
    X(RECORD, "record")                                                                            \
    X(NOTE, "note_records")                                                                        \
    X(OUTBOX_TAKE, "outbox_take")                                                                  \
    X(OUTBOX_DONE, "outbox_done")                                                                  \
    X(SWEEP, "sweep")                                                                              \
    X(TAKE_PARKED, "take_parked")                                                                  \
    X(SETTLE, "settle")                                                                            \
    X(RELEASE, "release_parked")                                                                   \
    X(SHARE, "share_rate")
#define REQUEST_ENUM_(suffix, call) REQUEST_##suffix,
#define REQUEST_CALL_(suffix, call) [REQUEST_##suffix] = (call),
enum request { REQUESTS(REQUEST_ENUM_) };
static const char *const calls[] = {REQUESTS(REQUEST_CALL_)};
#undef REQUEST_ENUM_
#undef REQUEST_CALL_

struct pg_outcomes {
    struct pg_session *session;
    struct outcomes_handlers handlers;
    char *worker, *topic;
    enum request under_way;
    int64_t asked_us; /* boot clock, before the last try of the request */
    struct pg_batch records, notes;
    struct pg_chores chores;
    struct pg_parked parked;
    uint64_t tickets[RECORD_BATCH_MAX]; /* of the records or notes under way */
    int64_t began_us[RECORD_BATCH_MAX]; /* boot clock: when their attempts did */
    struct outcome_answer answers[RECORD_BATCH_MAX];
    struct log_gate odd; /* chores that were refused for what is stored */
};

static void begin(struct pg_outcomes *o, enum request request, size_t n)
{
    if (o->under_way != REQUEST_NONE)
        panic("a request of kind %d while one of kind %d is under way", request, o->under_way);
    if ((request == REQUEST_RECORD || request == REQUEST_NOTE) && (n == 0 || n > RECORD_BATCH_MAX))
        panic("a batch of %zu rows", n);
    o->under_way = request;
}

/* Ages are those of the moment, and the rows those in hand: both are filled in before each try. */
static void ask_records(struct pg_outcomes *o)
{
    struct pg_param params[PG_PARAMS_MAX] = {
        pg_param_text(o->worker),
        pg_param_text(o->topic),
    };

    pg_session_ask(o->session, o->records.sql, params,
                   PG_RECORD_SCALARS + (int)o->records.n_columns, true);
}

static void before_try(void *arg, struct pg_param *params)
{
    struct pg_outcomes *o = arg;

    o->asked_us = clock_boot_us();
    if (o->under_way != REQUEST_RECORD)
        return;
    pg_record_set_ages(&o->records, o->began_us, o->asked_us);
    pg_batch_params(&o->records, params + PG_RECORD_SCALARS);
}

static void port_record(void *self, const struct outcome *rows, size_t n)
{
    struct pg_outcomes *o = self;
    int64_t now = clock_boot_us();

    begin(o, REQUEST_RECORD, n);
    pg_batch_clear(&o->records);
    for (size_t i = 0; i < n; i++) {
        o->tickets[i] = rows[i].ticket;
        o->began_us[i] = now - rows[i].age_us;
        pg_record_add(&o->records, &rows[i]);
    }
    pg_batch_start(&o->records, n);
    ask_records(o);
}

static void ask_notes(struct pg_outcomes *o)
{
    struct pg_param params[PG_PARAMS_MAX] = {pg_param_text(o->topic)};

    pg_batch_params(&o->notes, params + PG_NOTE_SCALARS);
    pg_session_ask(o->session, o->notes.sql, params, PG_NOTE_SCALARS + (int)o->notes.n_columns,
                   true);
}

static void port_note(void *self, const struct note *notes, size_t n)
{
    struct pg_outcomes *o = self;

    begin(o, REQUEST_NOTE, n);
    pg_batch_clear(&o->notes);
    for (size_t i = 0; i < n; i++) {
        o->tickets[i] = notes[i].ticket;
        pg_note_add(&o->notes, &notes[i]);
    }
    pg_batch_start(&o->notes, n);
    ask_notes(o);
}

/* A chore that is refused for what is stored is over: it must not hold up the outcomes. */
static void ask_chore(struct pg_outcomes *o, const struct pg_request *r)
{
    pg_session_ask(o->session, r->sql, r->params, r->n, true);
}

static void port_take_outbox(void *self)
{
    struct pg_outcomes *o = self;
    struct pg_request r;

    begin(o, REQUEST_OUTBOX_TAKE, 0);
    pg_chores_take_outbox(&o->chores, &r);
    ask_chore(o, &r);
}

static void port_outbox_done(void *self, const int64_t *ids, size_t n)
{
    struct pg_outcomes *o = self;
    struct pg_request r;

    begin(o, REQUEST_OUTBOX_DONE, 0);
    pg_chores_outbox_done(&o->chores, ids, n, &r);
    ask_chore(o, &r);
}

static void port_sweep(void *self)
{
    struct pg_outcomes *o = self;
    struct pg_request r;

    begin(o, REQUEST_SWEEP, 0);
    pg_chores_sweep(&r);
    ask_chore(o, &r);
}

static void port_take_parked(void *self, const struct parked_ask *ask)
{
    struct pg_outcomes *o = self;
    struct pg_request r;

    begin(o, REQUEST_TAKE_PARKED, 0);
    pg_parked_take(&o->parked, ask, &r);
    ask_chore(o, &r);
}

static void port_settle(void *self, const struct settlement *s)
{
    struct pg_outcomes *o = self;
    struct pg_request r;

    begin(o, REQUEST_SETTLE, 0);
    pg_parked_settle(&o->parked, s, &r);
    ask_chore(o, &r);
}

static void port_release(void *self, const struct parked_release *rows, size_t n)
{
    struct pg_outcomes *o = self;
    struct pg_request r;

    begin(o, REQUEST_RELEASE, 0);
    pg_parked_release(&o->parked, rows, n, &r);
    ask_chore(o, &r);
}

static void port_share_rate(void *self, int64_t rate, int64_t demand)
{
    struct pg_outcomes *o = self;
    struct pg_request r;

    begin(o, REQUEST_SHARE, 0);
    pg_parked_share(&o->parked, rate, demand, &r);
    ask_chore(o, &r);
}

static void deliver_records(struct pg_outcomes *o, const struct pg_result *r)
{
    const struct pg_batch *b = &o->records;

    if (pg_rows(r) != b->n)
        panic("sendcode.record answered %d rows of %d", pg_rows(r), b->n);
    for (int row = 0; row < b->n; row++) {
        int32_t i = pg_record_read(r, row, b->n, &o->answers[row]);
        o->answers[row].ticket = o->tickets[b->from + i];
    }
    o->handlers.recorded(o->handlers.arg, o->answers, (size_t)b->n);
}

/* It is asked for again at its next turn, and may be refused each time. */
static void say_odd(struct pg_outcomes *o, const char *why)
{
    int64_t dropped;

    if (log_gate_open(&o->odd, &dropped))
        log_error("rows in the database contradict each other; what meets them is left undone",
                  LS("call", calls[o->under_way]), LS("why", why), LI("not_logged", dropped));
}

/* What is no batch; r NULL: refused for what is stored. */
static void deliver_chore(struct pg_outcomes *o, const struct pg_result *r, const char *why)
{
    if (!r && o->under_way != REQUEST_SETTLE)
        say_odd(o, why);
    switch (o->under_way) {
    case REQUEST_OUTBOX_TAKE:
        pg_chores_on_outbox(&o->handlers, r);
        break;
    case REQUEST_SWEEP:
        pg_chores_on_swept(&o->handlers, r);
        break;
    case REQUEST_TAKE_PARKED:
        pg_parked_on_taken(&o->handlers, r, o->asked_us);
        break;
    case REQUEST_SETTLE:
        pg_parked_on_settled(&o->parked, &o->handlers, r, why);
        break;
    case REQUEST_SHARE:
        pg_parked_on_shared(&o->handlers, r, o->asked_us);
        break;
    case REQUEST_OUTBOX_DONE:
    case REQUEST_RELEASE:
    case REQUEST_RECORD:
    case REQUEST_NOTE:
    case REQUEST_NONE:
    default:
        break;
    }
    o->under_way = REQUEST_NONE;
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

    if (o->under_way == REQUEST_RECORD) {
        deliver_records(o, r);
        ask_rest_of_batch(o);
    } else if (o->under_way == REQUEST_NOTE) {
        o->handlers.noted(o->handlers.arg, o->tickets + o->notes.from, (size_t)o->notes.n);
        ask_rest_of_batch(o);
    } else {
        deliver_chore(o, r, NULL);
    }
}

/* A single row that PostgreSQL does not take must not hold up the others. */
static void give_row_up(struct pg_outcomes *o, const struct pg_row_refusal *why)
{
    if (o->under_way == REQUEST_RECORD) {
        o->answers[0] = (struct outcome_answer){
            .ticket = o->tickets[o->records.from],
            .refused_row = why->of_data,
            .odd_row = !why->of_data,
            .why = why->text,
        };
        o->handlers.recorded(o->handlers.arg, o->answers, 1);
    } else {
        log_error("PostgreSQL refuses the note of a record that is no job", LS("why", why->text));
        o->handlers.noted(o->handlers.arg, o->tickets + o->notes.from, 1);
    }
}

static void on_row_refused(void *arg, const struct pg_row_refusal *why)
{
    struct pg_outcomes *o = arg;
    bool records = o->under_way == REQUEST_RECORD;

    if (!records && o->under_way != REQUEST_NOTE) {
        deliver_chore(o, NULL, why->text);
    } else if (!pg_batch_halve(records ? &o->records : &o->notes)) {
        give_row_up(o, why);
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

void pg_outcomes_set_settings(struct pg_outcomes *o, const struct settings *s)
{
    pg_parked_set_settings(&o->parked, s);
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
        .take_parked = port_take_parked,
        .settle = port_settle,
        .release = port_release,
        .share_rate = port_share_rate,
    };
}

struct pg_outcomes *pg_outcomes_new(struct loop *l, const struct settings *s,
                                    const struct outcomes_handlers *h, struct err *e)
{
    struct pg_outcomes *o = mem_must_alloc(sizeof *o);
    struct pg_session_handlers handlers = {
        .arg = o,
        .before_try = before_try,
        .answered = on_answered,
        .row_refused = on_row_refused,
        .idle = on_idle,
        .health = on_health,
    };

    o->handlers = *h;
    o->worker = mem_must_strdup(s->worker.name);
    o->topic = mem_must_strdup(s->topics.jobs);
    o->odd = (struct log_gate){.period_us = SAY_AGAIN_US};
    pg_record_init(&o->records);
    pg_note_init(&o->notes);
    pg_parked_init(&o->parked, s, o->worker, o->topic);
    pg_chores_init(&o->chores);
    o->session = pg_worker_session_new(l, s, &handlers, e);
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
    pg_parked_free(&o->parked);
    pg_chores_free(&o->chores);
    mem_free(o->worker);
    mem_free(o->topic);
    mem_free(o);
}

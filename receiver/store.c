/* The queue of callbacks and the INSERT that is under way. */
#include "receiver/store.h"

#include <utlist.h>

#include "common/clock.h"
#include "common/domain/receipt.h"
#include "common/err.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/pg/pg_receipt.h"
#include "common/pg/pg_session.h"
#include "receiver/callback.h"

#define BATCH_CALLBACKS 100
#define BATCH_RECEIPTS 4000 /* reached by none but the last of them */
#define SAY_AGAIN_US (30 * US_PER_S)

#define COLUMN_TYPE_(suffix, name, type) type,
static const enum pg_type types[] = {PG_RECEIPT_COLUMNS(COLUMN_TYPE_, PG_BYTEA)};
#undef COLUMN_TYPE_

static const char insert_sql[] =
    "insert into sendcode.receipt (source, serial_no, phone, status, code, description, "
    "user_received_at, raw, fault) "
    "select 'callback', r.* from unnest($1::text[], $2::text[], $3::text[], $4::text[], "
    "$5::text[], $6::timestamptz[], $7::bytea[], $8::text[]) r";

struct item {
    struct callback callback;
    struct arena *arena;
    void *ticket; /* NULL: answered */
    int64_t answer_by_us;
    bool alone; /* it was refused together with others: one of them cannot be stored */
    struct item *prev, *next;
};

struct store {
    struct loop *loop;
    struct store_handlers handlers;
    struct pg_session *session;
    struct loop_timer *patience; /* until the first of those not answered is due */
    struct item *items;          /* as they came */
    size_t n_asked;              /* of the first ones: in the INSERT under way */
    struct pg_array columns[PG_RECEIPT_COLUMN_COUNT];
    struct log_gate away, refused, quarantine;
    bool draining, told_drained;
};

static void say_drained(void *arg)
{
    struct store *s = arg;
    s->handlers.drained(s->handlers.arg);
}

static void end_when_drained(struct store *s)
{
    struct item *i;

    if (!s->draining || s->told_drained)
        return;
    DL_FOREACH(s->items, i)
    {
        if (i->ticket)
            return;
    }
    s->told_drained = true;
    loop_defer(s->loop, say_drained, s);
}

static void answer(struct store *s, struct item *i, bool stored)
{
    if (!i)
        panic("a callback is answered that is not there");
    void *ticket = i->ticket;

    i->ticket = NULL;
    if (ticket)
        s->handlers.done(s->handlers.arg, ticket, stored);
}

static void drop(struct store *s, struct item *i)
{
    if (!i || !s->items)
        panic("a callback is dropped that is not there");
    DL_DELETE(s->items, i);
    arena_free(i->arena);
    mem_free(i);
}

/* Those that wait, as far as one statement takes them. */
static void ask(struct store *s)
{
    struct pg_param params[PG_RECEIPT_COLUMN_COUNT];
    struct item *i;

    if (!s->items || !pg_session_can_ask(s->session))
        return;
    for (int c = 0; c < PG_RECEIPT_COLUMN_COUNT; c++)
        pg_array_clear(&s->columns[c]);
    DL_FOREACH(s->items, i)
    {
        if (s->n_asked > 0 && (i->alone || s->items->alone || s->n_asked == BATCH_CALLBACKS ||
                               s->columns[PG_RECEIPT_RAW].n >= BATCH_RECEIPTS))
            break;
        for (size_t r = 0; r < i->callback.n; r++)
            pg_receipt_add(s->columns, &i->callback.receipts[r]);
        s->n_asked++;
    }
    for (int c = 0; c < PG_RECEIPT_COLUMN_COUNT; c++)
        params[c] = pg_array_param(&s->columns[c]);
    pg_session_ask(s->session, insert_sql, params, PG_RECEIPT_COLUMN_COUNT, true);
}

static void tell_quarantine(struct store *s, const struct callback *c)
{
    int64_t dropped = 0;

    for (size_t r = 0; r < c->n; r++)
        if (c->receipts[r].fault && log_gate_open(&s->quarantine, &dropped))
            log_warn("receipts that cannot be understood go into quarantine",
                     LS("fault", c->receipts[r].fault), LI("not_logged", dropped));
}

static void on_stored(void *arg, const struct pg_result *r)
{
    struct store *s = arg;
    size_t n = s->n_asked;

    (void)r;
    log_info("receipts stored", LI("receipts", s->columns[PG_RECEIPT_RAW].n), LI("callbacks", n));
    for (s->n_asked = 0; n > 0; n--) {
        answer(s, s->items, true);
        tell_quarantine(s, &s->items->callback);
        drop(s, s->items);
    }
    end_when_drained(s);
}

/* Of several, each is asked for by itself; one alone cannot be stored. */
static void on_refused(void *arg, const struct pg_row_refusal *why)
{
    struct store *s = arg;
    size_t n = s->n_asked;
    int64_t dropped = 0;
    struct item *i;

    s->n_asked = 0;
    if (n == 1) {
        if (log_gate_open(&s->refused, &dropped))
            log_error("PostgreSQL refuses a callback", LS("why", why->text),
                      LI("not_logged", dropped));
        answer(s, s->items, false);
        drop(s, s->items);
        end_when_drained(s);
        return;
    }
    DL_FOREACH(s->items, i)
    {
        if (n-- == 0)
            break;
        i->alone = true;
    }
}

static void on_idle(void *arg)
{
    ask(arg);
}

static void on_health(void *arg, const char *why)
{
    struct store *s = arg;
    int64_t dropped = 0;

    if (!why) {
        if (log_gate_reset(&s->away))
            log_info("service is back", LS("service", "postgres"));
    } else if (log_gate_open(&s->away, &dropped)) {
        log_warn("service is not reachable; waiting for it", LS("service", "postgres"),
                 LS("why", why), LI("not_logged", dropped));
    }
}

static void on_schema_fault(void *arg, const char *why)
{
    struct store *s = arg;
    s->handlers.schema_fault(s->handlers.arg, why);
}

/* Those whose time is over are answered; what is in the INSERT under way stays until that ends. */
static void on_patience_over(void *arg)
{
    struct store *s = arg;
    int64_t now_us = loop_now_us(s->loop);
    size_t place = 0;
    struct item *i, *next;

    DL_FOREACH_SAFE(s->items, i, next)
    {
        bool asked = place++ < s->n_asked;
        if (i->ticket && i->answer_by_us > now_us) {
            loop_timer_start(s->patience, i->answer_by_us - now_us);
            break;
        }
        answer(s, i, false);
        if (!asked)
            drop(s, i);
    }
    end_when_drained(s);
}

void store_add(struct store *s, const struct callback *c, struct arena *arena, void *ticket)
{
    struct item *i = mem_must_alloc(sizeof *i);

    *i = (struct item){.callback = *c,
                       .arena = arena,
                       .ticket = ticket,
                       .answer_by_us = loop_now_us(s->loop) + STORE_PATIENCE_US};
    DL_APPEND(s->items, i);
    if (!loop_timer_pending(s->patience))
        loop_timer_start(s->patience, STORE_PATIENCE_US);
    ask(s);
}

void store_drain(struct store *s)
{
    s->draining = true;
    end_when_drained(s);
}

struct store *store_new(struct loop *l, const char *dsn, const struct store_handlers *h,
                        struct err *e)
{
    struct store *s = mem_must_alloc(sizeof *s);
    const struct pg_session_options options = {
        .dsn = dsn, .application_name = "sendcode-receiver", .role = "sendcode_receiver"};
    const struct pg_session_handlers handlers = {
        .arg = s,
        .answered = on_stored,
        .row_refused = on_refused,
        .idle = on_idle,
        .health = on_health,
        .schema_fault = on_schema_fault,
    };

    s->loop = l;
    s->handlers = *h;
    s->away = s->refused = s->quarantine = (struct log_gate){.period_us = SAY_AGAIN_US};
    for (int c = 0; c < PG_RECEIPT_COLUMN_COUNT; c++)
        pg_array_init(&s->columns[c], types[c]);
    s->patience = loop_timer_new(l, on_patience_over, s);
    s->session = pg_session_new(l, &options, &handlers, e);
    if (!s->session) {
        store_free(s);
        return NULL;
    }
    return s;
}

void store_free(struct store *s)
{
    if (!s)
        return;
    pg_session_free(s->session);
    loop_timer_free(s->patience);
    while (s->items)
        drop(s, s->items);
    for (int c = 0; c < PG_RECEIPT_COLUMN_COUNT; c++)
        pg_array_free(&s->columns[c]);
    mem_free(s);
}

/*
 * Receipts and retention over PostgreSQL. A request that is repeated because its answer was lost
 * does no harm: a receipt stored twice is a repeat. Retention alone is tried once.
 */
#include "worker/pg/pg_receipts.h"

#include "common/clock.h"
#include "common/crypto/crypto.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/pg/pg_receipt.h"
#include "common/pg/pg_session.h"
#include "common/settings/settings.h"
#include "worker/pg/pg_batch.h"
#include "worker/pg/pg_worker_session.h"

#define SAY_AGAIN_US (60 * US_PER_S)
#define PARAMS_MAX 3
#define DROPPED_MAX 64 /* that are told by name */

static const char join_sql[] = "select joined, repeats, orphans, waiting "
                               "from sendcode.join_receipts(p_limit => $1::int)";
enum joined_column { JOINED_JOINED, JOINED_REPEATS, JOINED_ORPHANS, JOINED_WAITING };

static const char lease_sql[] =
    "select sendcode.take_pull(p_worker => $1::text, p_lease_ms => $2::int)";

static const char overdue_sql[] =
    "select phone, scene, accepted_at from "
    "sendcode.overdue_receipts(p_limit => $1::int, p_overdue_s => $2::int)";
enum overdue_column { OVERDUE_PHONE, OVERDUE_SCENE, OVERDUE_ACCEPTED_AT };

static const char conversions_sql[] =
    "select scene, locale, serial_no, verified_at from "
    "sendcode.take_conversions(p_limit => $1::int, p_after_s => $2::int)";
enum conversion_column {
    CONVERSION_SCENE,
    CONVERSION_LOCALE,
    CONVERSION_SERIAL_NO,
    CONVERSION_VERIFIED_AT,
};

static const char retain_sql[] =
    "select dropped from sendcode.retain(p_deliveries => $1::int, p_attempts => $2::int, "
    "p_receipts => $3::int)";

static const char store_head[] = "select sendcode.store_receipts(p_source => $1::text";

#define STORE_ROW_(suffix, name, type) {"p_" name, type},
static const struct pg_column store_columns[] = {PG_RECEIPT_COLUMNS(STORE_ROW_, PG_TEXT)};
#undef STORE_ROW_

/* X(SUFFIX, the database's function) */
#define REQUESTS(X)                                                                                \
    X(NONE, "nothing")                                                                             \
    X(JOIN, "join_receipts")                                                                       \
    X(STORE, "store_receipts")                                                                     \
    X(LEASE, "take_pull")                                                                          \
    X(OVERDUE, "overdue_receipts")                                                                 \
    X(CONVERSIONS, "take_conversions")                                                             \
    X(RETAIN, "retain")
#define REQUEST_ENUM_(suffix, call) REQUEST_##suffix,
#define REQUEST_CALL_(suffix, call) [REQUEST_##suffix] = (call),
enum request { REQUESTS(REQUEST_ENUM_) };
static const char *const calls[] = {REQUESTS(REQUEST_CALL_)};
#undef REQUEST_ENUM_
#undef REQUEST_CALL_

struct pg_receipts {
    struct pg_session *session;
    struct receipts_db_handlers handlers;
    char instance[SHA256_HEX_SIZE]; /* of this process, for the lease */
    enum request under_way;
    int64_t asked_us; /* boot clock, before the last try of the request */
    struct pg_batch store;
    enum receipt_source source;
    bool kept; /* of the batch, so far */
    struct pg_scalar slots[PARAMS_MAX];
    struct log_gate odd;
};

static void begin(struct pg_receipts *p, enum request request)
{
    if (p->under_way != REQUEST_NONE)
        panic("%s is asked for while %s is under way", calls[request], calls[p->under_way]);
    p->under_way = request;
}

static struct pg_param int_param(struct pg_receipts *p, int place, int64_t v)
{
    return pg_param_i32(&p->slots[place], (int32_t)MIN(v, INT32_MAX));
}

static void before_try(void *arg, struct pg_param *params)
{
    struct pg_receipts *p = arg;

    (void)params;
    p->asked_us = clock_boot_us();
}

/* ---- requests ---- */

static void port_join(void *self, int32_t limit)
{
    struct pg_receipts *p = self;

    begin(p, REQUEST_JOIN);
    struct pg_param params[] = {int_param(p, 0, limit)};
    pg_session_ask(p->session, join_sql, params, ARRAY_LEN(params), true);
}

static void port_lease(void *self, int64_t lease_us)
{
    struct pg_receipts *p = self;

    begin(p, REQUEST_LEASE);
    struct pg_param params[] = {pg_param_text(p->instance), int_param(p, 1, lease_us / US_PER_MS)};
    pg_session_ask(p->session, lease_sql, params, ARRAY_LEN(params), true);
}

static void port_take_overdue(void *self, int64_t overdue_s)
{
    struct pg_receipts *p = self;

    begin(p, REQUEST_OVERDUE);
    struct pg_param params[] = {int_param(p, 0, OVERDUE_MAX), int_param(p, 1, overdue_s)};
    pg_session_ask(p->session, overdue_sql, params, ARRAY_LEN(params), true);
}

static void port_take_conversions(void *self, int32_t limit, int64_t after_s)
{
    struct pg_receipts *p = self;

    begin(p, REQUEST_CONVERSIONS);
    struct pg_param params[] = {int_param(p, 0, limit), int_param(p, 1, after_s)};
    pg_session_ask(p->session, conversions_sql, params, ARRAY_LEN(params), true);
}

static void port_retain(void *self, const struct retention *keep)
{
    struct pg_receipts *p = self;

    begin(p, REQUEST_RETAIN);
    struct pg_param params[] = {int_param(p, 0, keep->deliveries), int_param(p, 1, keep->attempts),
                                int_param(p, 2, keep->receipts)};
    pg_session_ask_once(p->session, retain_sql, params, ARRAY_LEN(params));
}

static void ask_store(struct pg_receipts *p)
{
    struct pg_param params[1 + PG_RECEIPT_COLUMN_COUNT] = {
        pg_param_text(receipt_source_to_text(p->source))};

    pg_batch_params(&p->store, params + 1);
    pg_session_ask(p->session, p->store.sql, params, ARRAY_LEN(params), true);
}

static void port_store(void *self, enum receipt_source source, const struct receipt *receipts,
                       size_t n)
{
    struct pg_receipts *p = self;

    begin(p, REQUEST_STORE);
    if (n == 0 || n > RECEIPTS_PAGE_MAX)
        panic("a page of %zu receipts", n);
    p->source = source;
    p->kept = true;
    pg_batch_clear(&p->store);
    for (size_t i = 0; i < n; i++)
        pg_receipt_add(p->store.whole, &receipts[i]);
    pg_batch_start(&p->store, n);
    ask_store(p);
}

/* ---- answers ---- */

static void deliver_overdue(struct pg_receipts *p, const struct pg_result *r)
{
    struct overdue rows[OVERDUE_MAX];
    size_t n = 0;

    for (int row = 0; r && row < pg_rows(r) && n < OVERDUE_MAX; row++) {
        rows[n] = (struct overdue){.phone = pg_text(r, row, OVERDUE_PHONE),
                                   .scene = pg_text(r, row, OVERDUE_SCENE),
                                   .accepted_us = pg_time_us(r, row, OVERDUE_ACCEPTED_AT)};
        n += rows[n].phone && rows[n].scene;
    }
    p->handlers.overdue(p->handlers.arg, rows, n);
}

static void deliver_conversions(struct pg_receipts *p, const struct pg_result *r)
{
    struct conversion rows[CONVERSIONS_MAX];
    size_t n = 0;

    for (int row = 0; r && row < pg_rows(r) && n < CONVERSIONS_MAX; row++) {
        rows[n] = (struct conversion){.scene = pg_text(r, row, CONVERSION_SCENE),
                                      .locale = pg_text(r, row, CONVERSION_LOCALE),
                                      .serial_no = pg_text(r, row, CONVERSION_SERIAL_NO),
                                      .verified_us = pg_time_us(r, row, CONVERSION_VERIFIED_AT)};
        n += rows[n].scene && rows[n].serial_no;
    }
    p->handlers.conversions(p->handlers.arg, rows, n);
}

static void deliver_retained(struct pg_receipts *p, const struct pg_result *r)
{
    const char *dropped[DROPPED_MAX];
    size_t n = 0;

    for (int row = 0; r && row < pg_rows(r) && n < DROPPED_MAX; row++) {
        dropped[n] = pg_text(r, row, 0);
        n += dropped[n] != NULL;
    }
    p->handlers.retained(p->handlers.arg, dropped, n);
}

static void deliver_joined(struct pg_receipts *p, const struct pg_result *r)
{
    if (!r || pg_rows(r) != 1) {
        p->handlers.joined(p->handlers.arg, NULL);
        return;
    }
    p->handlers.joined(p->handlers.arg, &(struct join_counts){
                                            .joined = pg_i32(r, 0, JOINED_JOINED),
                                            .repeats = pg_i32(r, 0, JOINED_REPEATS),
                                            .orphans = pg_i32(r, 0, JOINED_ORPHANS),
                                            .waiting = pg_i64(r, 0, JOINED_WAITING),
                                        });
}

static void ask_rest_of_batch(struct pg_receipts *p)
{
    if (pg_batch_next(&p->store)) {
        ask_store(p);
        return;
    }
    p->under_way = REQUEST_NONE;
    p->handlers.stored(p->handlers.arg, p->kept);
}

/* r NULL: refused for what is stored. */
static void deliver(struct pg_receipts *p, const struct pg_result *r)
{
    enum request request = p->under_way;

    if (request == REQUEST_STORE) {
        ask_rest_of_batch(p);
        return;
    }
    p->under_way = REQUEST_NONE;
    if (request == REQUEST_JOIN)
        deliver_joined(p, r);
    else if (request == REQUEST_LEASE)
        p->handlers.leased(p->handlers.arg, r && pg_rows(r) == 1 && pg_bool(r, 0, 0), p->asked_us);
    else if (request == REQUEST_OVERDUE)
        deliver_overdue(p, r);
    else if (request == REQUEST_CONVERSIONS)
        deliver_conversions(p, r);
    else if (request == REQUEST_RETAIN)
        deliver_retained(p, r);
}

static void on_answered(void *arg, const struct pg_result *r)
{
    deliver(arg, r);
}

static void say_odd(struct pg_receipts *p, const char *why)
{
    int64_t dropped;

    if (log_gate_open(&p->odd, &dropped))
        log_error("PostgreSQL refuses what is asked of it about receipts; it is asked again",
                  LS("call", calls[p->under_way]), LS("why", why), LI("not_logged", dropped));
}

static void on_row_refused(void *arg, const struct pg_row_refusal *why)
{
    struct pg_receipts *p = arg;

    bool of_receipt = p->under_way == REQUEST_STORE && why->of_data;

    if (of_receipt && pg_batch_halve(&p->store)) {
        ask_store(p);
        return;
    }
    if (of_receipt)
        log_error("PostgreSQL cannot hold a receipt; it is lost", LS("why", why->text));
    else
        say_odd(p, why->text);
    p->kept = p->kept && of_receipt;
    deliver(p, NULL);
}

static void on_idle(void *arg)
{
    struct pg_receipts *p = arg;
    p->handlers.idle(p->handlers.arg);
}

static void on_health(void *arg, const char *why)
{
    struct pg_receipts *p = arg;
    p->handlers.health(p->handlers.arg, why);
}

/* ---- from start to end ---- */

static bool port_can_ask(void *self)
{
    const struct pg_receipts *p = self;
    return p->under_way == REQUEST_NONE && pg_session_can_ask(p->session);
}

struct receipts_db pg_receipts_port(struct pg_receipts *p)
{
    return (struct receipts_db){
        .self = p,
        .can_ask = port_can_ask,
        .join = port_join,
        .store = port_store,
        .lease = port_lease,
        .take_overdue = port_take_overdue,
        .take_conversions = port_take_conversions,
        .retain = port_retain,
    };
}

struct pg_receipts *pg_receipts_new(struct loop *l, const struct settings *s,
                                    const struct receipts_db_handlers *h, struct err *e)
{
    struct pg_receipts *p = mem_must_alloc(sizeof *p);
    struct pg_session_handlers handlers = {
        .arg = p,
        .before_try = before_try,
        .answered = on_answered,
        .row_refused = on_row_refused,
        .idle = on_idle,
        .health = on_health,
    };
    uint8_t bytes[SHA256_SIZE];

    crypto_random(bytes, sizeof bytes);
    crypto_hex(bytes, p->instance);
    p->handlers = *h;
    p->odd = (struct log_gate){.period_us = SAY_AGAIN_US};
    pg_batch_init(&p->store, store_head, 1, store_columns, PG_RECEIPT_COLUMN_COUNT);
    p->session = pg_worker_session_new(l, s, &handlers, e);
    if (!p->session) {
        pg_receipts_free(p);
        return NULL;
    }
    return p;
}

void pg_receipts_free(struct pg_receipts *p)
{
    if (!p)
        return;
    pg_session_free(p->session);
    pg_batch_free(&p->store);
    mem_free(p);
}

/* Joining every second, retention every hour, and the fetching between: one request at a time. */
#include "worker/receipts.h"

#include "common/backoff.h"
#include "common/crashpoint.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/metrics.h"
#include "common/settings/settings.h"
#include "worker/conversions.h"
#include "worker/meters.h"
#include "worker/receipt_fetch.h"

#define JOIN_EVERY_US (1 * US_PER_S)
#define JOIN_LIMIT 200
#define JOIN_MANY (JOIN_LIMIT / 2) /* some may have to wait: then there are more */
#define RETAIN_FIRST_US (60 * US_PER_S)
#define RETAIN_EVERY_US (3600 * US_PER_S)
#define RETAIN_NEXT_US US_PER_S /* one kind of table is dropped a call */
#define SAID_EVERY_US (60 * US_PER_S)

struct receipts {
    struct loop *loop;
    struct receipts_db *db; /* NULL until it is started */
    const struct settings *settings;
    struct meters *meters;
    struct receipt_fetch fetch;
    struct conversions conversions;
    struct loop_timer *join_timer, *retain_timer;
    bool join_due, retain_due;
    struct log_gate away; /* the database, as this connection sees it */
    bool pump_deferred;
    bool gone; /* freed but for its own memory, which the deferred pump frees */
    bool draining;
    void (*drained)(void *arg);
    void *drained_arg;
};

static void ask_database(struct receipts *r)
{
    if (r->draining || !r->db->can_ask(r->db->self))
        return;
    if (r->retain_due) {
        const struct retention keep = {.deliveries = r->settings->retention.deliveries,
                                       .attempts = r->settings->retention.attempts,
                                       .receipts = r->settings->retention.receipts};
        r->retain_due = false;
        r->db->retain(r->db->self, &keep);
    } else if (r->join_due) {
        r->join_due = false;
        r->db->join(r->db->self, JOIN_LIMIT);
        CRASHPOINT("receipts_join_asked");
    }
}

static void end_when_drained(struct receipts *r)
{
    void (*drained)(void *arg) = r->drained;
    if (!drained || !receipt_fetch_is_done(&r->fetch))
        return;
    r->drained = NULL;
    drained(r->drained_arg);
}

static void pump(void *arg)
{
    struct receipts *r = arg;
    r->pump_deferred = false;
    if (r->gone) {
        mem_free(r);
        return;
    }
    receipt_fetch_pump(&r->fetch);
    ask_database(r);
    conversions_pump(&r->conversions);
    end_when_drained(r);
}

static void wake(void *arg)
{
    struct receipts *r = arg;
    if (r->pump_deferred || !r->db)
        return;
    r->pump_deferred = true;
    loop_defer(r->loop, pump, r);
}

static void on_join_timer(void *arg)
{
    struct receipts *r = arg;
    r->join_due = true;
    wake(r);
}

static void on_retain_timer(void *arg)
{
    struct receipts *r = arg;
    r->retain_due = true;
    wake(r);
}

/* ---- answers ---- */

static void on_joined(void *arg, const struct join_counts *c)
{
    struct receipts *r = arg;
    bool full = c && c->joined + c->repeats + c->orphans >= JOIN_MANY;
    if (c) {
        if (c->joined > 0)
            CRASHPOINT("receipts_joined");
        metric_add(r->meters->receipts_joined, (double)c->joined);
        metric_add(r->meters->receipts_repeat, (double)c->repeats);
        metric_add(r->meters->receipts_orphan, (double)c->orphans);
        metric_set(r->meters->receipts_waiting, (double)c->waiting);
    }
    loop_timer_start(r->join_timer, full ? 0 : backoff_spread_us(JOIN_EVERY_US));
}

static void on_retained(void *arg, const char *const *dropped, size_t n)
{
    struct receipts *r = arg;
    for (size_t i = 0; i < n; i++)
        log_info("old data dropped, as [retention] says", LS("what", dropped[i]));
    loop_timer_start(r->retain_timer, n > 0 ? RETAIN_NEXT_US : backoff_spread_us(RETAIN_EVERY_US));
}

static void on_leased(void *arg, bool ours, int64_t asked_us)
{
    struct receipts *r = arg;
    receipt_fetch_on_leased(&r->fetch, ours, asked_us);
}

static void on_overdue(void *arg, const struct overdue *rows, size_t n)
{
    struct receipts *r = arg;
    receipt_fetch_on_overdue(&r->fetch, rows, n);
}

static void on_stored(void *arg, bool kept)
{
    struct receipts *r = arg;
    receipt_fetch_on_stored(&r->fetch, kept);
}

static void on_answered(void *arg, const struct receipts_answer *a)
{
    struct receipts *r = arg;
    receipt_fetch_on_answered(&r->fetch, a);
}

static void on_conversions(void *arg, const struct conversion *rows, size_t n)
{
    struct receipts *r = arg;
    conversions_on_taken(&r->conversions, rows, n);
}

static void on_told(void *arg, enum conversion_fate fate, const char *why)
{
    struct receipts *r = arg;
    conversions_on_told(&r->conversions, fate, why);
}

/* /readyz does not depend on it: sending goes on without. */
static void on_health(void *arg, const char *why)
{
    struct receipts *r = arg;
    int64_t dropped = 0;
    if (!why) {
        if (log_gate_reset(&r->away))
            log_info("receipts are joined again");
    } else if (log_gate_open(&r->away, &dropped)) {
        log_warn("receipts wait for PostgreSQL", LS("why", why), LI("dropped", dropped));
    }
}

struct receipts_db_handlers receipts_db_handlers(struct receipts *r)
{
    return (struct receipts_db_handlers){
        .arg = r,
        .joined = on_joined,
        .stored = on_stored,
        .leased = on_leased,
        .overdue = on_overdue,
        .conversions = on_conversions,
        .retained = on_retained,
        .idle = wake,
        .health = on_health,
    };
}

struct receipts_provider_handlers receipts_provider_handlers(struct receipts *r)
{
    return (struct receipts_provider_handlers){.arg = r, .answered = on_answered};
}

struct conversions_provider_handlers receipts_conversion_handlers(struct receipts *r)
{
    return (struct conversions_provider_handlers){.arg = r, .told = on_told};
}

/* ---- from start to end ---- */

struct receipts *receipts_new(struct loop *l, const struct settings *s, struct meters *meters)
{
    struct receipts *r = mem_must_alloc(sizeof(*r));
    r->loop = l;
    r->settings = s;
    r->meters = meters;
    r->away.period_us = SAID_EVERY_US;
    r->join_timer = loop_timer_new(l, on_join_timer, r);
    r->retain_timer = loop_timer_new(l, on_retain_timer, r);
    receipt_fetch_init(&r->fetch, l, s, meters, wake, r);
    conversions_init(&r->conversions, l, s, meters, wake, r);
    return r;
}

void receipts_start(struct receipts *r, struct receipts_db *db, struct receipts_provider *provider,
                    struct conversions_provider *conversions)
{
    r->db = db;
    loop_timer_start(r->join_timer, backoff_spread_us(JOIN_EVERY_US));
    loop_timer_start(r->retain_timer, backoff_spread_us(RETAIN_FIRST_US));
    receipt_fetch_start(&r->fetch, db, provider);
    conversions_start(&r->conversions, db, conversions);
}

void receipts_free(struct receipts *r)
{
    if (!r)
        return;
    receipt_fetch_free(&r->fetch);
    conversions_free(&r->conversions);
    loop_timer_free(r->join_timer);
    loop_timer_free(r->retain_timer);
    r->gone = true;
    if (!r->pump_deferred)
        mem_free(r);
}

void receipts_set_settings(struct receipts *r, const struct settings *s)
{
    r->settings = s;
    r->fetch.settings = s;
    r->conversions.settings = s;
    wake(r);
}

void receipts_drain(struct receipts *r, void (*done)(void *arg), void *arg)
{
    r->draining = r->fetch.draining = r->conversions.draining = true;
    r->drained = done;
    r->drained_arg = arg;
    wake(r);
}

size_t receipts_unstored(const struct receipts *r)
{
    return r->fetch.n_held;
}

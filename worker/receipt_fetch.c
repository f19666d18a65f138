/*
 * A round: the lease, a page of each application's queue until one is not full, then a question
 * for each overdue number. Each step ends in FETCH_GOES_ON, from which the next is chosen. What
 * fails pauses its way; the next application, or number, has its turn after the pause.
 */
#include "worker/receipt_fetch.h"

#include <stdio.h>
#include <string.h>

#include "common/crashpoint.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/metrics.h"
#include "common/settings/settings.h"
#include "worker/meters.h"

#define ROUND_EVERY_US (2 * US_PER_S)
#define STORE_AGAIN_US (5 * US_PER_S)
#define LEASE_US (10 * US_PER_S) /* and twice a request's time-out */
#define LEASE_MARGIN_US (5 * US_PER_S)
#define FAILED_BASE_US (4 * US_PER_S)
#define FAILED_CAP_US (300 * US_PER_S)
#define SAID_EVERY_US (600 * US_PER_S)
#define ARENA_FIRST_BLOCK 4096

/* Below the provider's 100 and 20 a second for the account: the lease makes us the only one. */
static const int64_t pace_us[RECEIPT_SOURCE_COUNT] = {
    [RECEIPT_PULL] = 20 * US_PER_MS, [RECEIPT_BY_NUMBER] = 80 * US_PER_MS};

static void on_timer(void *arg)
{
    struct receipt_fetch *f = arg;
    if (f->step == FETCH_RESTS)
        f->step = FETCH_GOES_ON;
    f->wake(f->arg);
}

void receipt_fetch_init(struct receipt_fetch *f, struct loop *l, const struct settings *s,
                        struct meters *meters, void (*wake)(void *arg), void *arg)
{
    *f = (struct receipt_fetch){
        .loop = l, .settings = s, .meters = meters, .wake = wake, .arg = arg};
    for (size_t i = 0; i < RECEIPT_SOURCE_COUNT; i++) {
        f->ways[i].backoff = (struct backoff){.base_us = FAILED_BASE_US, .cap_us = FAILED_CAP_US};
        f->ways[i].refused.period_us = SAID_EVERY_US;
    }
    f->quarantined.period_us = SAID_EVERY_US;
    f->timer = loop_timer_new(l, on_timer, f);
}

static void drop_held(struct receipt_fetch *f)
{
    arena_free(f->arena);
    f->arena = NULL;
    f->held = NULL;
    f->n_held = 0;
}

void receipt_fetch_free(struct receipt_fetch *f)
{
    drop_held(f);
    loop_timer_free(f->timer);
}

/* ---- rounds ---- */

/* The n-th of the different applications that the scenes of this name use (NULL: any scene). */
static const char *app_of(const struct settings *s, const char *scene, size_t n)
{
    for (size_t i = 0; i < s->n_scenes; i++) {
        const struct scene *here = &s->scenes[i];
        size_t before = 0;
        if (scene && strcmp(here->name, scene) != 0)
            continue;
        while (before < i && ((scene && strcmp(s->scenes[before].name, scene) != 0) ||
                              strcmp(s->scenes[before].sdk_app_id, here->sdk_app_id) != 0))
            before++;
        if (before == i && n-- == 0)
            return here->sdk_app_id;
    }
    return NULL;
}

/* All that it could be asked in this round was asked. */
static void end_way(struct receipt_fetch *f, enum receipt_source source)
{
    struct fetch_way *way = &f->ways[source];
    if (way->heard && !way->failed && log_gate_reset(&way->refused))
        log_info("the provider tells receipts again", LS("source", receipt_source_to_text(source)));
    way->heard = way->failed = false;
}

/* A way that failed goes on where it stopped: one that is always refused keeps no other waiting. */
static void rest(struct receipt_fetch *f)
{
    bool at_once = false;
    if (!app_of(f->settings, NULL, f->app)) {
        end_way(f, RECEIPT_PULL);
        f->app = 0;
    }
    if (f->next_overdue >= f->n_overdue) {
        end_way(f, RECEIPT_BY_NUMBER);
        at_once = f->more;
        f->n_overdue = f->next_overdue = f->overdue_app = 0;
        f->taken = f->more = false;
    }
    f->step = FETCH_RESTS;
    loop_timer_start(f->timer, at_once ? 0 : backoff_spread_us(ROUND_EVERY_US));
}

void receipt_fetch_start(struct receipt_fetch *f, struct receipts_db *db,
                         struct receipts_provider *provider)
{
    f->db = db;
    f->provider = provider;
    rest(f);
}

bool receipt_fetch_is_done(const struct receipt_fetch *f)
{
    return f->step != FETCH_ASKS && f->step != FETCH_HOLDS && f->step != FETCH_STORES;
}

/* Boot clock; there is a turn then. */
static int64_t in_us(struct receipt_fetch *f, int64_t us)
{
    loop_timer_start(f->timer, us);
    return loop_now_us(f->loop) + us;
}

static bool is_wanted(const struct receipt_fetch *f, enum receipt_source source)
{
    const struct settings *s = f->settings;
    bool on = source == RECEIPT_PULL ? s->tencent.pull_receipts : s->tencent.receipt_overdue > 0;
    return on && loop_now_us(f->loop) >= f->ways[source].not_before_us;
}

static int64_t timeout_us(const struct receipt_fetch *f)
{
    return f->settings->tencent.timeout * US_PER_S;
}

/* An answer would come while it is still ours. */
static bool lease_covers(const struct receipt_fetch *f)
{
    return loop_now_us(f->loop) + timeout_us(f) + LEASE_MARGIN_US <= f->lease_until_us;
}

static void ask(struct receipt_fetch *f, enum receipt_source source, const struct receipts_query *q)
{
    f->step = FETCH_ASKS;
    f->source = source;
    f->ask_after_us = in_us(f, pace_us[source]);
    f->provider->ask(f->provider->self, q);
}

/* False: nothing is left to be pulled in this round. */
static bool pull(struct receipt_fetch *f)
{
    const char *app = app_of(f->settings, NULL, f->app);
    if (!is_wanted(f, RECEIPT_PULL) || !app)
        return false;
    f->app++;
    ask(f, RECEIPT_PULL, &(struct receipts_query){.sdk_app_id = app});
    CRASHPOINT("receipts_asked");
    return true;
}

/* The next application of a number's scene; one that is not configured any more has [tencent]'s. */
static const char *app_of_overdue(const struct receipt_fetch *f, const struct fetch_overdue *o)
{
    const char *app = app_of(f->settings, o->scene, f->overdue_app);
    return app || f->overdue_app > 0 ? app : f->settings->tencent.sdk_app_id;
}

/* False: no number is left to be asked about in this round. */
static bool ask_by_number(struct receipt_fetch *f)
{
    while (f->next_overdue < f->n_overdue && is_wanted(f, RECEIPT_BY_NUMBER)) {
        const struct fetch_overdue *o = &f->overdue[f->next_overdue];
        const char *app = app_of_overdue(f, o);
        if (app) {
            f->overdue_app++;
            ask(f, RECEIPT_BY_NUMBER,
                &(struct receipts_query){
                    .sdk_app_id = app, .phone = o->phone, .since_us = o->accepted_us});
            return true;
        }
        f->next_overdue++;
        f->overdue_app = 0;
    }
    return false;
}

/* What needs the database: it is free. */
static void ask_database(struct receipt_fetch *f)
{
    if (f->step == FETCH_HOLDS) {
        f->step = FETCH_STORES;
        f->db->store(f->db->self, f->source, f->held, f->n_held);
        CRASHPOINT("receipts_store_asked");
    } else if (!lease_covers(f)) {
        f->step = FETCH_LEASES;
        f->db->lease(f->db->self, LEASE_US + 2 * timeout_us(f));
    } else {
        f->step = FETCH_TAKES;
        f->taken = true;
        f->db->take_overdue(f->db->self, f->settings->tencent.receipt_overdue);
    }
}

/* True when the database has to be asked for what is next. */
static bool needs_database(struct receipt_fetch *f)
{
    if (f->step == FETCH_HOLDS)
        return true;
    if (f->draining || (!is_wanted(f, RECEIPT_PULL) && !is_wanted(f, RECEIPT_BY_NUMBER)) ||
        !f->provider->is_ready(f->provider->self)) {
        rest(f);
        return false;
    }
    if (!lease_covers(f))
        return true;
    if (pull(f) || ask_by_number(f))
        return false;
    if (is_wanted(f, RECEIPT_BY_NUMBER) && !f->taken)
        return true;
    rest(f);
    return false;
}

void receipt_fetch_pump(struct receipt_fetch *f)
{
    int64_t after_us = f->step == FETCH_HOLDS ? f->store_after_us : f->ask_after_us;
    bool waits = f->step != FETCH_GOES_ON && f->step != FETCH_HOLDS;
    if (waits || loop_now_us(f->loop) < after_us)
        return;
    if (needs_database(f) && f->db->can_ask(f->db->self))
        ask_database(f);
}

/* ---- answers ---- */

static void go_on(struct receipt_fetch *f)
{
    f->step = FETCH_GOES_ON;
    f->wake(f->arg);
}

void receipt_fetch_on_leased(struct receipt_fetch *f, bool ours, int64_t asked_us)
{
    if (!ours) {
        rest(f);
        return;
    }
    CRASHPOINT("receipts_leased");
    f->lease_until_us = asked_us + LEASE_US + 2 * timeout_us(f);
    if (lease_covers(f))
        go_on(f);
    else
        rest(f);
}

void receipt_fetch_on_overdue(struct receipt_fetch *f, const struct overdue *rows, size_t n)
{
    f->n_overdue = MIN(n, (size_t)OVERDUE_MAX);
    f->more = n >= OVERDUE_MAX;
    for (size_t i = 0; i < f->n_overdue; i++) {
        struct fetch_overdue *o = &f->overdue[i];
        snprintf(o->phone, sizeof(o->phone), "%s", rows[i].phone);
        snprintf(o->scene, sizeof(o->scene), "%s", rows[i].scene);
        o->accepted_us = rows[i].accepted_us;
    }
    go_on(f);
}

static void say_failed(struct receipt_fetch *f, const char *why)
{
    struct fetch_way *way = &f->ways[f->source];
    int64_t dropped = 0;
    if (!why) {
        way->heard = true;
        backoff_reset(&way->backoff);
        return;
    }
    way->failed = true;
    way->not_before_us = loop_now_us(f->loop) + backoff_next_us(&way->backoff);
    if (log_gate_open(&way->refused, &dropped))
        log_warn("the provider tells no receipts", LS("source", receipt_source_to_text(f->source)),
                 LS("why", why), LI("dropped", dropped));
}

static const char *keep_text(struct receipt_fetch *f, const char *text)
{
    const char *kept = text ? arena_strndup(f->arena, text, strlen(text)) : NULL;
    if (text && !kept)
        panic("out of memory for receipts that the provider will not give again");
    return kept;
}

static void hold(struct receipt_fetch *f, const struct receipts_answer *a)
{
    size_t n_odd = 0;
    int64_t dropped = 0;
    f->arena = arena_new(ARENA_FIRST_BLOCK);
    f->held = f->arena ? arena_alloc(f->arena, a->n * sizeof(*f->held)) : NULL;
    if (!f->held)
        panic("out of memory for receipts that the provider will not give again");
    f->n_held = a->n;
    for (size_t i = 0; i < a->n; i++) {
        const struct receipt *r = &a->receipts[i];
        f->held[i] = (struct receipt){
            .serial_no = keep_text(f, r->serial_no),
            .phone = keep_text(f, r->phone),
            .status = keep_text(f, r->status),
            .code = keep_text(f, r->code),
            .description = keep_text(f, r->description),
            .user_received_us = r->user_received_us,
            .raw = keep_text(f, r->raw),
            .fault = keep_text(f, r->fault),
        };
        n_odd += r->fault != NULL;
    }
    if (n_odd > 0 && log_gate_open(&f->quarantined, &dropped))
        log_warn("receipts that cannot be understood go into quarantine", LI("receipts", n_odd),
                 LI("dropped", dropped));
}

void receipt_fetch_on_answered(struct receipt_fetch *f, const struct receipts_answer *a)
{
    CRASHPOINT("receipts_answered");
    say_failed(f, a->why);
    if (f->source == RECEIPT_PULL && a->full)
        f->app--; /* there may be more */
    if (a->n == 0) {
        go_on(f);
        return;
    }
    hold(f, a);
    metric_add(f->meters->fetched[f->source], (double)a->n);
    f->step = FETCH_HOLDS;
    f->wake(f->arg);
}

void receipt_fetch_on_stored(struct receipt_fetch *f, bool kept)
{
    if (!kept) {
        f->step = FETCH_HOLDS;
        f->store_after_us = in_us(f, STORE_AGAIN_US);
        return;
    }
    CRASHPOINT("receipts_stored");
    drop_held(f);
    go_on(f);
}

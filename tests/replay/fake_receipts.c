/* The fake ports of receipts: each call is written down. */
#include "tests/replay/fake_receipts.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/loop.h"
#include "worker/receipts.h"

static void ask(struct fake_receipts *f, enum receipts_ask what)
{
    if (f->ask != ASK_NOTHING)
        panic("asked for receipts' %d while %d is under way", (int)what, (int)f->ask);
    f->ask = what;
    f->asked_us = clock_boot_us();
}

/* Nothing to join, nothing to drop. */
static void answer_idly(void *arg)
{
    struct fake_receipts *f = arg;
    struct receipts_db_handlers h = receipts_db_handlers(f->receipts);
    enum receipts_ask what = f->ask;
    f->ask = ASK_NOTHING;
    if (what == ASK_JOIN)
        h.joined(h.arg, &(struct join_counts){.waiting = 0});
    else
        h.retained(h.arg, NULL, 0);
    h.idle(h.arg);
}

static bool can_ask(void *self)
{
    const struct fake_receipts *f = self;
    return f->ask == ASK_NOTHING && !f->away;
}

static void join(void *self, int32_t limit)
{
    struct fake_receipts *f = self;
    (void)limit;
    ask(f, ASK_JOIN);
    f->joins++;
    if (!f->waits)
        loop_defer(f->loop, answer_idly, f);
}

static void store(void *self, enum receipt_source source, const struct receipt *receipts, size_t n)
{
    struct fake_receipts *f = self;
    ask(f, ASK_STORE);
    f->source = source;
    f->n_store = n;
    f->n_faults = 0;
    for (size_t i = 0; i < n; i++)
        f->n_faults += receipts[i].fault != NULL;
}

static void lease(void *self, int64_t lease_us)
{
    (void)lease_us;
    ask(self, ASK_LEASE);
}

static void take_overdue(void *self, int64_t overdue_s)
{
    struct fake_receipts *f = self;
    ask(f, ASK_OVERDUE);
    f->overdue_s = overdue_s;
}

static void retain(void *self, const struct retention *keep)
{
    struct fake_receipts *f = self;
    ask(f, ASK_RETAIN);
    f->keep = *keep;
    if (!f->waits)
        loop_defer(f->loop, answer_idly, f);
}

static void take_conversions(void *self, int32_t limit, int64_t after_s)
{
    (void)limit, (void)after_s;
    ask(self, ASK_CONVERSIONS);
}

static void tell(void *self, const char *sdk_app_id, const struct conversion *c)
{
    struct fake_receipts *f = self;
    if (f->telling)
        panic("the provider is told of two conversions at once");
    f->telling = true;
    snprintf(f->told, sizeof(f->told), "%s/%s", sdk_app_id, c->serial_no);
}

static bool is_ready(void *self)
{
    const struct fake_receipts *f = self;
    return !f->not_ready;
}

static void ask_provider(void *self, const struct receipts_query *q)
{
    struct fake_receipts *f = self;
    if (f->asking)
        panic("the provider is asked for receipts twice at once");
    f->asking = true;
    f->questions++;
    snprintf(f->app, sizeof(f->app), "%s", q->sdk_app_id);
    snprintf(f->phone, sizeof(f->phone), "%s", q->phone ? q->phone : "");
}

void fake_receipts_init(struct fake_receipts *f, struct loop *l)
{
    *f = (struct fake_receipts){.loop = l};
    f->db = (struct receipts_db){.self = f,
                                 .can_ask = can_ask,
                                 .join = join,
                                 .store = store,
                                 .lease = lease,
                                 .take_overdue = take_overdue,
                                 .take_conversions = take_conversions,
                                 .retain = retain};
    f->conversions = (struct conversions_provider){.self = f, .is_ready = is_ready, .tell = tell};
    f->provider = (struct receipts_provider){.self = f, .is_ready = is_ready, .ask = ask_provider};
}

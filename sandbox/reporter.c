/* Walks behind the messages and reports those that are old enough, up to a hundred a callback. */
#include "sandbox/reporter.h"

#include "common/loop.h"
#include "common/mem.h"
#include "sandbox/report.h"
#include "sandbox/sandbox.h"

#define RETRY_US US_PER_S
#define WALK_PERIOD_US (100 * US_PER_MS)
#define OPEN_MAX 1000 /* callbacks; then a receiver that is down holds the others back */

struct reporter {
    struct sandbox *sandbox;
    struct loop_timer *timer;
};

/* Of those that were reported on request, none leaves by itself. */
static void walk(void *arg)
{
    struct reporter *r = arg;
    struct sandbox *s = r->sandbox;
    struct report report = {
        .callbacks = &s->callbacks,
        .spec = {.url = s->options.receipts, .retry_us = RETRY_US},
        .batch = REPORT_BATCH_MAX,
        .times = 1,
    };
    int64_t now_us = sandbox_now_us(s);
    int64_t until_us = now_us - s->options.receipts_after_s * US_PER_S;
    struct message *m = s->store.not_called;
    for (; m && m->at_us <= until_us && s->callbacks.n_open < OPEN_MAX; m = m->next) {
        if (message_is_accepted(m) && !m->called)
            report_add_message(&report, m, NULL, now_us);
    }
    s->store.not_called = m;
    report_end(&report);
    loop_timer_start(r->timer, WALK_PERIOD_US);
}

struct reporter *reporter_new(struct sandbox *s)
{
    struct reporter *r = mem_must_alloc(sizeof *r);
    *r = (struct reporter){.sandbox = s, .timer = loop_timer_new(s->loop, walk, r)};
    loop_timer_start(r->timer, WALK_PERIOD_US);
    return r;
}

void reporter_free(struct reporter *r)
{
    if (!r)
        return;
    loop_timer_free(r->timer);
    mem_free(r);
}

/* Share of the rate, outbox and sweep, each on its own timer, one request at a time. */
#include "worker/chores.h"

#include "common/backoff.h"
#include "common/crashpoint.h"
#include "common/loop.h"
#include "worker/rate_cap.h"

#define OUTBOX_EVERY_US (1 * US_PER_S)
#define SWEEP_EVERY_US (1 * US_PER_S)
#define SHARE_EVERY_US (1 * US_PER_S)

static void on_outbox_timer(void *arg)
{
    struct chores *c = arg;
    c->outbox_due = true;
    c->wake(c->arg);
}

static void on_sweep_timer(void *arg)
{
    struct chores *c = arg;
    c->sweep_due = true;
    c->wake(c->arg);
}

static void on_share_timer(void *arg)
{
    struct chores *c = arg;
    c->share_due = true;
    loop_timer_start(c->share_timer, backoff_spread_us(SHARE_EVERY_US));
    c->wake(c->arg);
}

void chores_init(struct chores *c, struct loop *l, struct outcomes *outcomes, struct events *events,
                 struct rate_cap *rate, void (*wake)(void *arg), void *arg)
{
    *c = (struct chores){.outcomes = outcomes,
                         .events = events,
                         .rate = rate,
                         .loop = l,
                         .share_due = true,
                         .wake = wake,
                         .arg = arg};
    c->outbox_timer = loop_timer_new(l, on_outbox_timer, c);
    c->sweep_timer = loop_timer_new(l, on_sweep_timer, c);
    c->share_timer = loop_timer_new(l, on_share_timer, c);
    loop_timer_start(c->share_timer, backoff_spread_us(SHARE_EVERY_US));
    loop_timer_start(c->outbox_timer, backoff_spread_us(OUTBOX_EVERY_US));
    loop_timer_start(c->sweep_timer, backoff_spread_us(SWEEP_EVERY_US));
}

void chores_free(struct chores *c)
{
    loop_timer_free(c->outbox_timer);
    loop_timer_free(c->sweep_timer);
    loop_timer_free(c->share_timer);
}

void chores_pump(struct chores *c)
{
    if (!c->outcomes->can_ask(c->outcomes->self))
        return;
    if (c->share_due && c->rate->rate > 0) {
        c->share_due = false;
        c->outcomes->share_rate(c->outcomes->self, c->rate->rate,
                                rate_cap_beat(c->rate, loop_now_us(c->loop)));
        CRASHPOINT("rate_share_asked");
    } else if (c->n_done > 0 && c->n_unacked == 0) {
        c->outcomes->outbox_done(c->outcomes->self, c->done, c->n_done);
        CRASHPOINT("outbox_done_asked");
        c->n_done = 0;
    } else if (c->outbox_due && c->n_unacked == 0) {
        c->outbox_due = false;
        c->outcomes->take_outbox(c->outcomes->self);
        CRASHPOINT("outbox_asked");
    } else if (c->sweep_due) {
        c->sweep_due = false;
        c->outcomes->sweep(c->outcomes->self);
        CRASHPOINT("sweep_asked");
    }
}

void chores_on_outbox(struct chores *c, const struct outbox_row *rows, size_t n)
{
    if (n > 0)
        CRASHPOINT("outbox_taken");
    for (size_t i = 0; i < n && c->n_unacked < CHORES_OUTBOX_MAX; i++) {
        c->n_unacked++;
        c->events->publish(c->events->self, CHORES_TICKET | (uint64_t)rows[i].id, &rows[i].status);
        CRASHPOINT("outbox_produced");
    }
    loop_timer_start(c->outbox_timer, n > 0 ? 0 : backoff_spread_us(OUTBOX_EVERY_US));
}

void chores_on_published(struct chores *c, uint64_t ticket)
{
    CRASHPOINT("outbox_acked");
    c->done[c->n_done++] = (int64_t)(ticket & ~CHORES_TICKET);
    c->n_unacked--;
    if (c->n_unacked == 0)
        c->wake(c->arg);
}

void chores_on_swept(struct chores *c)
{
    CRASHPOINT("swept");
    loop_timer_start(c->sweep_timer, backoff_spread_us(SWEEP_EVERY_US));
}

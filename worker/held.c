/* Held flights: a timer each, and a list a busy phone. */
#include "worker/held.h"

#include <uthash.h>
#include <utlist.h>

#include "common/loop.h"
#include "common/mem.h"
#include "worker/flight.h"

struct phone_queue {
    const char *phone; /* the first waiting flight's own; re-pointed when that one leaves */
    struct flight *flights;
    UT_hash_handle hh;
};

void held_init(struct held *h, struct loop *l, held_fn *due, void *arg)
{
    *h = (struct held){.loop = l, .due = due, .arg = arg};
}

static struct phone_queue *find(struct held *h, const char *phone)
{
    struct phone_queue *q = NULL;
    HASH_FIND_STR(h->by_phone, phone, q);
    return q;
}

static void listen_for_phone(struct held *h, struct flight *f)
{
    struct phone_queue *q = find(h, f->job.phone);
    if (!q) {
        q = mem_must_alloc(sizeof(*q));
        q->phone = f->job.phone;
        HASH_ADD_KEYPTR(hh, h->by_phone, q->phone, strlen(q->phone), q);
    }
    DL_APPEND2(q->flights, f, phone_prev, phone_next);
}

static void stop_listening(struct held *h, struct flight *f)
{
    struct phone_queue *q = find(h, f->job.phone);
    if (!q)
        panic("a flight waits for a phone that has no queue");
    HASH_DEL(h->by_phone, q);
    DL_DELETE2(q->flights, f, phone_prev, phone_next);
    if (!q->flights) {
        mem_free(q);
        return;
    }
    q->phone = q->flights->job.phone;
    HASH_ADD_KEYPTR(hh, h->by_phone, q->phone, strlen(q->phone), q);
}

static bool is_not_ready(const struct flight *f)
{
    return f->hold == HOLD_BUSY || f->hold == HOLD_OWNER;
}

void held_remove(struct held *h, struct flight *f)
{
    loop_timer_stop(f->timer);
    h->n_not_ready -= is_not_ready(f);
    if (f->hold == HOLD_BUSY)
        stop_listening(h, f);
    f->hold = HOLD_NONE;
}

static void on_timer(void *arg)
{
    struct flight *f = arg;
    struct held *h = f->held;
    enum hold why = f->hold;
    held_remove(h, f);
    h->due(h->arg, f, why);
}

void held_add(struct held *h, struct flight *f, int64_t wait_us)
{
    f->held = h;
    h->n_not_ready += is_not_ready(f);
    if (!f->timer)
        f->timer = loop_timer_new(h->loop, on_timer, f);
    if (f->hold == HOLD_BUSY)
        listen_for_phone(h, f);
    loop_timer_start(f->timer, MAX(wait_us, 0));
}

void held_wake_phone(struct held *h, const char *phone)
{
    struct phone_queue *q = find(h, phone);
    if (!q)
        return;
    struct flight *f, *next;
    DL_FOREACH_SAFE2(q->flights, f, next, phone_next)
    {
        loop_timer_start(f->timer, 0);
    }
}

void held_wake_stopped(struct held *h, struct flight *list)
{
    for (struct flight *f = list; f; f = f->next) {
        if (f->held == h && f->hold == HOLD_STOPPED)
            loop_timer_start(f->timer, 0);
    }
}

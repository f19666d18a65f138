/*
 * Answers on their way. Those that wait for the ledger go out together at the end of the loop's
 * turn, behind one write; late ones have a timer each; those that never come are dropped after ten
 * minutes, so that memory stays bounded.
 */
#include "sandbox/answers.h"

#include <string.h>
#include <time.h>
#include <utlist.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/httpd.h"
#include "common/loop.h"
#include "common/mem.h"
#include "sandbox/ledger.h"

#define HANG_US (600 * US_PER_S)
#define JSON_TYPE "application/json"

struct waiting_answer {
    struct http_request *req;
    struct plan plan;
    size_t offset, len; /* in bodies */
};

struct late_answer {
    struct late_answer *prev, *next;
    struct answers *of;
    struct http_request *req;
    struct plan plan;
    struct loop_timer *timer;
    size_t len;
    char body[];
};

void answers_init(struct answers *a, struct loop *l, struct ledger *ledger, int64_t clock_skew_s,
                  answers_broken_fn *broken, void *broken_arg)
{
    static const UT_icd waiting_icd = {sizeof(struct waiting_answer), NULL, NULL, NULL};
    *a = (struct answers){
        .loop = l,
        .ledger = ledger,
        .clock_skew_s = clock_skew_s,
        .broken = broken,
        .broken_arg = broken_arg,
    };
    utarray_init(&a->waiting, &waiting_icd);
}

static void free_late(void *arg)
{
    struct late_answer *late = arg;
    DL_DELETE(late->of->late, late);
    loop_timer_free(late->timer);
    mem_free(late);
}

static void drop_waiting(struct answers *a)
{
    struct waiting_answer *w = NULL;
    while ((w = utarray_next(&a->waiting, w)))
        http_drop(w->req);
    utarray_clear(&a->waiting);
    buf_clear(&a->bodies);
}

void answers_free(struct answers *a)
{
    struct late_answer *late;
    struct late_answer *after;
    drop_waiting(a);
    utarray_done(&a->waiting);
    buf_free(&a->bodies);
    DL_FOREACH_SAFE(a->late, late, after)
    {
        if (late->req)
            http_drop(late->req);
        free_late(late);
    }
}

/* The Date header as the sandbox's own clock has it. */
static const char *date_text(struct answers *a)
{
    int64_t now_s = clock_wall_us() / US_PER_S + a->clock_skew_s;
    if (now_s != a->date_s) {
        time_t t = (time_t)now_s;
        struct tm tm;
        gmtime_r(&t, &tm);
        strftime(a->date, sizeof a->date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        a->date_s = now_s;
    }
    return a->date;
}

static void transmit(struct answers *a, struct http_request *req, const struct plan *plan,
                     const char *body, size_t len)
{
    switch (plan->how) {
    case DELIVER_WHOLE:
        http_set_header(req, "Date", date_text(a));
        http_reply(req, plan->status, JSON_TYPE, body, len);
        break;
    case DELIVER_CUT:
        http_set_header(req, "Date", date_text(a));
        http_reply_cut(req, plan->status, JSON_TYPE, body, MIN(plan->cut, len), len);
        break;
    case DELIVER_DROP:
    case DELIVER_NEVER:
        http_drop(req);
        break;
    }
}

static void on_late(void *arg)
{
    struct late_answer *late = arg;
    transmit(late->of, late->req, &late->plan, late->body, late->len);
    late->req = NULL;
    loop_defer(late->of->loop, free_late, late);
}

static void keep(struct answers *a, struct http_request *req, const struct plan *plan,
                 const char *body, size_t len, int64_t for_us)
{
    struct late_answer *late = mem_must_alloc(sizeof *late + len);
    late->of = a;
    late->req = req;
    late->plan = *plan;
    late->len = len;
    memcpy(late->body, body, len);
    late->timer = loop_timer_new(a->loop, on_late, late);
    DL_APPEND(a->late, late);
    loop_timer_start(late->timer, for_us);
}

static void deliver(struct answers *a, struct http_request *req, const struct plan *plan,
                    const char *body, size_t len)
{
    if (plan->how == DELIVER_NEVER)
        keep(a, req, plan, body, len, HANG_US);
    else if (plan->delay_us > 0)
        keep(a, req, plan, body, len, plan->delay_us);
    else
        transmit(a, req, plan, body, len);
}

static void on_turn_end(void *arg)
{
    struct answers *a = arg;
    struct err e;
    if (ledger_write(a->ledger, &e) < 0) {
        drop_waiting(a);
        a->broken(a->broken_arg, &e);
        return;
    }
    struct waiting_answer *w = NULL;
    while ((w = utarray_next(&a->waiting, w)))
        deliver(a, w->req, &w->plan, buf_text(&a->bodies) + w->offset, w->len);
    utarray_clear(&a->waiting);
    buf_clear(&a->bodies);
}

void answers_give(struct answers *a, struct http_request *req, const struct plan *plan,
                  const struct buf *body, bool after_ledger)
{
    if (!after_ledger || a->ledger->fd < 0) {
        deliver(a, req, plan, buf_text(body), body->len);
        return;
    }
    if (utarray_len(&a->waiting) == 0)
        loop_defer(a->loop, on_turn_end, a);
    struct waiting_answer w = {req, *plan, a->bodies.len, body->len};
    buf_add(&a->bodies, buf_text(body), body->len);
    utarray_push_back(&a->waiting, &w);
}

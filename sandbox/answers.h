/*
 * Sends answers: at once, after the ledger is written, late, cut, or never. Every request of the
 * API port is answered through here exactly once.
 */
#ifndef SENDCODE_SANDBOX_ANSWERS_H
#define SENDCODE_SANDBOX_ANSWERS_H

#include <utarray.h>

#include "common/base.h"
#include "common/buf.h"

struct err;
struct http_request;
struct ledger;
struct loop;
struct late_answer;

enum delivery { DELIVER_WHOLE, DELIVER_CUT, DELIVER_DROP, DELIVER_NEVER };

struct plan {
    enum delivery how;
    int64_t delay_us;
    size_t cut; /* bytes sent when DELIVER_CUT */
    int status;
};

typedef void answers_broken_fn(void *arg, const struct err *e);

struct answers {
    struct loop *loop;
    struct ledger *ledger;
    int64_t clock_skew_s;
    answers_broken_fn *broken; /* the ledger cannot be written */
    void *broken_arg;
    UT_array waiting;  /* for the ledger, in order */
    struct buf bodies; /* of those */
    struct late_answer *late;
    int64_t date_s;
    char date[32];
};

void answers_init(struct answers *a, struct loop *l, struct ledger *ledger, int64_t clock_skew_s,
                  answers_broken_fn *broken, void *broken_arg);
/* Drops the connections of all that still wait. */
void answers_free(struct answers *a);

/* after_ledger: an SMS was added to the ledger for it. The body is copied. */
void answers_give(struct answers *a, struct http_request *req, const struct plan *plan,
                  const struct buf *body, bool after_ledger);

#endif

/*
 * Fakes of the receipts' ports: one thing is asked of each at a time, until the scenario answers.
 * Joinings and retention that find nothing are answered at once unless the scenario waits for them.
 */
#ifndef SENDCODE_TESTS_REPLAY_FAKE_RECEIPTS_H
#define SENDCODE_TESTS_REPLAY_FAKE_RECEIPTS_H

#include "common/base.h"
#include "worker/ports/receipts.h"

struct loop;
struct receipts;

enum receipts_ask {
    ASK_NOTHING,
    ASK_JOIN,
    ASK_LEASE,
    ASK_STORE,
    ASK_OVERDUE,
    ASK_RETAIN,
    ASK_CONVERSIONS,
};

struct fake_receipts {
    struct receipts *receipts;
    struct loop *loop;
    struct receipts_db db;
    struct receipts_provider provider;
    bool away;  /* the database, for receipts */
    bool waits; /* joinings and retention are the scenario's to answer */
    enum receipts_ask ask;
    int64_t asked_us;
    unsigned joins;
    enum receipt_source source; /* of what is to be stored … */
    size_t n_store, n_faults;   /* … and how many */
    int64_t overdue_s;
    struct retention keep;
    bool asking; /* the provider */
    unsigned questions;
    char app[32], phone[24]; /* "" for the queue */
    bool not_ready;
    struct conversions_provider conversions;
    bool telling;
    char told[64]; /* the application and the SerialNo of the last one */
};

void fake_receipts_init(struct fake_receipts *f, struct loop *l);

#endif

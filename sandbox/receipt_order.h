/* POST /receipts: which receipts a tester wants to be posted, where, when and how often. */
#ifndef SENDCODE_SANDBOX_RECEIPT_ORDER_H
#define SENDCODE_SANDBOX_RECEIPT_ORDER_H

#include "common/base.h"

struct err;
struct http_request;
struct receipt_wait;
struct sandbox;

struct receipt_orders {
    int64_t last; /* number of the last order */
    struct receipt_wait *waits;
};

/* Answers req, now or later; -1 with one sentence: nothing was ordered, and req is the caller's. */
NODISCARD int receipt_order_take(struct sandbox *s, struct http_request *req, struct err *e);
/* After callbacks_free. */
void receipt_orders_free(struct receipt_orders *o);

#endif

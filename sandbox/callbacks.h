/*
 * Status callbacks on their way: bodies posted as Tencent does, each again, up to three times,
 * while the answer is not {"result":0}; a few at once, the others in turn. What was answered is
 * kept.
 */
#ifndef SENDCODE_SANDBOX_CALLBACKS_H
#define SENDCODE_SANDBOX_CALLBACKS_H

#include "common/base.h"

#define CALLBACK_TRIES 3

struct buf;
struct callback;
struct loop;

struct callbacks {
    struct loop *loop;
    struct callback *open; /* waiting for their time, or being posted */
    struct callback *due;  /* waiting for their turn */
    struct callback *done; /* the last CALLBACKS_KEPT */
    size_t n_open, n_posting, n_done;
    int64_t last_id;
};

/* Whether it was taken in the end; not called for those that callbacks_free ends. */
typedef void callback_done_fn(void *arg, bool taken);

struct callback_spec {
    const char *url;      /* one that http_post_is_url takes */
    int64_t order;        /* of POST /receipts; 0: sent by itself */
    int64_t delay_us;     /* until the first try */
    int64_t retry_us;     /* between two */
    callback_done_fn *fn; /* NULL: nobody asks */
    void *arg;
};

void callbacks_init(struct callbacks *c, struct loop *l);
void callbacks_free(struct callbacks *c);

/* Copies url and body. n: the receipts in it. fn is not called before this returns. */
void callbacks_add(struct callbacks *c, const struct callback_spec *spec, const struct buf *body,
                   size_t n);
/* [{"id":1,"order":1,"receipts":100,"state":"taken","answers":[…]},…]; order < 0: all. */
void callbacks_add_json(const struct callbacks *c, int64_t order, struct buf *out);

#endif

/* The outbox and the sweep (sendcode.outbox_take, outbox_done, sweep): requests and answers. */
#ifndef SENDCODE_WORKER_PG_PG_CHORES_H
#define SENDCODE_WORKER_PG_PG_CHORES_H

#include "common/pg/pg_array.h"
#include "worker/ports/outcomes.h"

struct pg_request;

/* What the parameters of one request point to. */
struct pg_chores {
    struct pg_array ids;
    struct pg_scalar limit;
};

void pg_chores_init(struct pg_chores *c);
void pg_chores_free(struct pg_chores *c);

void pg_chores_take_outbox(struct pg_chores *c, struct pg_request *out);
void pg_chores_outbox_done(struct pg_chores *c, const int64_t *ids, size_t n,
                           struct pg_request *out);
void pg_chores_sweep(struct pg_request *out);

/* Answers go to the handlers; r NULL: the request was refused for what is stored. */
void pg_chores_on_outbox(const struct outcomes_handlers *h, const struct pg_result *r);
void pg_chores_on_swept(const struct outcomes_handlers *h, const struct pg_result *r);

#endif

/*
 * The port `receipts_db` on PostgreSQL (sendcode.join_receipts, store_receipts, take_pull,
 * overdue_receipts, retain), on a connection of its own, so that no outcome waits for it.
 */
#ifndef SENDCODE_WORKER_PG_PG_RECEIPTS_H
#define SENDCODE_WORKER_PG_PG_RECEIPTS_H

#include "worker/ports/receipts.h"

struct err;
struct loop;
struct pg_receipts;
struct settings;

/* The settings are used only during the call. */
NODISCARD struct pg_receipts *pg_receipts_new(struct loop *l, const struct settings *s,
                                              const struct receipts_db_handlers *h, struct err *e);
void pg_receipts_free(struct pg_receipts *p); /* what is under way is not answered; NULL is fine */

struct receipts_db pg_receipts_port(struct pg_receipts *p);

#endif

/* The port `claims` on PostgreSQL: sendcode.take_epochs and sendcode.claim on its own connection.
 */
#ifndef SENDCODE_WORKER_PG_PG_CLAIMS_H
#define SENDCODE_WORKER_PG_PG_CLAIMS_H

#include "worker/ports/claims.h"

struct err;
struct loop;
struct pg_claims;
struct settings;

/* Settings (names, budgets, keys) are used only during the calls. */
NODISCARD struct pg_claims *pg_claims_new(struct loop *l, const struct settings *s,
                                          const struct claims_handlers *h, struct err *e);
void pg_claims_free(struct pg_claims *c); /* what is under way is not answered; NULL is fine */

/* After a reload: time budgets and the ids of the keys, from the next batch on. */
void pg_claims_set_settings(struct pg_claims *c, const struct settings *s);

struct claims pg_claims_port(struct pg_claims *c);

#endif

/*
 * The port `outcomes` on PostgreSQL: sendcode.record, note_records, sweep, the outbox, parked jobs
 * and the shared rate, on its own connection.
 */
#ifndef SENDCODE_WORKER_PG_PG_OUTCOMES_H
#define SENDCODE_WORKER_PG_PG_OUTCOMES_H

#include "worker/ports/outcomes.h"

struct err;
struct loop;
struct pg_outcomes;
struct settings;

/* The settings are used only during the call. */
NODISCARD struct pg_outcomes *pg_outcomes_new(struct loop *l, const struct settings *s,
                                              const struct outcomes_handlers *h, struct err *e);
void pg_outcomes_free(struct pg_outcomes *o); /* what is under way is not answered; NULL is fine */

/* After a reload: how doubt is settled, from the next request on. */
void pg_outcomes_set_settings(struct pg_outcomes *o, const struct settings *s);

struct outcomes pg_outcomes_port(struct pg_outcomes *o);

#endif

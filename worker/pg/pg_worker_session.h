/* The worker's connections to PostgreSQL, as its settings say. */
#ifndef SENDCODE_WORKER_PG_PG_WORKER_SESSION_H
#define SENDCODE_WORKER_PG_PG_WORKER_SESSION_H

#include "common/pg/pg_session.h"

struct settings;

/* Uses the settings only during the call. */
NODISCARD struct pg_session *pg_worker_session_new(struct loop *l, const struct settings *s,
                                                   const struct pg_session_handlers *h,
                                                   struct err *e);

#endif

/*
 * One connection of the worker's to PostgreSQL and the one request under way on it, which is
 * repeated unchanged until the database answers: over lost connections, time-outs, deadlocks,
 * a server that is away, full or read-only, and a schema that is not there yet.
 */
#ifndef SENDCODE_WORKER_PG_PG_SESSION_H
#define SENDCODE_WORKER_PG_PG_SESSION_H

#include "common/base.h"
#include "common/pg/pg.h"

struct err;
struct loop;
struct settings;
struct pg_session;

struct pg_session_handlers {
    void *arg;
    /* The request is over; both may ask the next one. r is borrowed during the call. */
    void (*answered)(void *arg, const struct pg_result *r);
    void (*row_refused)(void *arg, const char *sqlstate); /* class 22 or 23: nothing was changed */
    void (*idle)(void *arg);                              /* connected and nothing under way */
    void (*health)(void *arg, const char *why);           /* NULL: reachable again */
    /* Schema missing, too old, or not ours to use: one sentence; asked again all the same. */
    void (*schema_fault)(void *arg, const char *why); /* may be NULL */
};

/* Uses the settings only during the call. */
NODISCARD struct pg_session *pg_session_new(struct loop *l, const struct settings *s,
                                            const struct pg_session_handlers *h, struct err *e);
void pg_session_free(struct pg_session *s); /* NULL is fine */

bool pg_session_can_ask(const struct pg_session *s); /* connected and nothing under way */

/*
 * Only when nothing is under way. What params point to must stay as it is until the end of the
 * request. of_rows: a refused row ends it (row_refused), else that is repeated, too.
 */
void pg_session_ask(struct pg_session *s, const char *sql, const struct pg_param *params, int n,
                    bool of_rows);

#endif

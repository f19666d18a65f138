/*
 * A program's connection to PostgreSQL and the one request under way on it, which is
 * repeated unchanged until the database answers: over lost connections, time-outs, deadlocks,
 * a server that is away, full or read-only, and a schema that is not there yet.
 */
#ifndef SENDCODE_COMMON_PG_PG_SESSION_H
#define SENDCODE_COMMON_PG_PG_SESSION_H

#include "common/base.h"
#include "common/pg/pg.h"

struct err;
struct loop;
struct pg_session;

/* Why no repetition of the request can pass: what it says, or what is stored. */
struct pg_row_refusal {
    bool of_data;     /* SQLSTATE class 22: its own values cannot be stored */
    const char *text; /* one sentence with the SQLSTATE, quoting no value; borrowed */
};

struct pg_session_handlers {
    void *arg;
    /* Before each try of the request: may make its parameters anew, in place. May be NULL. */
    void (*before_try)(void *arg, struct pg_param *params);
    /* The request is over; these two may ask the next one. r is borrowed during the call. */
    void (*answered)(void *arg, const struct pg_result *r);
    /* Nothing was changed, unless it was asked once. */
    void (*row_refused)(void *arg, const struct pg_row_refusal *why);
    void (*idle)(void *arg);                    /* connected and nothing under way */
    void (*health)(void *arg, const char *why); /* NULL: reachable again */
    /* Schema missing, too old, or not ours to use: one sentence; asked again all the same. */
    void (*schema_fault)(void *arg, const char *why); /* may be NULL */
};

struct pg_session_options {
    const char *dsn, *application_name; /* copied */
    const char *role;                   /* a group role to be granted, for a message; outlives it */
};

NODISCARD struct pg_session *pg_session_new(struct loop *l, const struct pg_session_options *o,
                                            const struct pg_session_handlers *h, struct err *e);
void pg_session_free(struct pg_session *s); /* NULL is fine */

/* A statement and its parameters, as the makers of requests hand them to who asks. */
struct pg_request {
    const char *sql;
    struct pg_param params[PG_PARAMS_MAX];
    int n;
};

bool pg_session_can_ask(const struct pg_session *s); /* connected and nothing under way */

/*
 * Only when nothing is under way. What params point to must stay as it is until the end of the
 * request, but for what before_try does. of_rows: a refused row ends it (row_refused), else that is
 * repeated, too.
 */
void pg_session_ask(struct pg_session *s, const char *sql, const struct pg_param *params, int n,
                    bool of_rows);
/* Asked once: whatever goes wrong ends it (row_refused; the server may have done it all the same).
 */
void pg_session_ask_once(struct pg_session *s, const char *sql, const struct pg_param *params,
                         int n);

#endif

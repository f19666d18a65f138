/* What pg.c (the connection) and pg_query.c (the statements on it) share. */
#ifndef SENDCODE_COMMON_PG_PG_STATE_H
#define SENDCODE_COMMON_PG_PG_STATE_H

#include <libpq-fe.h>

#include "common/backoff.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/pg/pg.h"
#include "common/pg/pg_error.h"
#include "common/pg/pg_hosts.h"

#define PG_STATEMENTS_MAX 16

enum pg_state { PG_WAITING, PG_CONNECTING, PG_SETTING_UP, PG_IDLE, PG_BUSY };

struct pg {
    struct loop *loop;
    struct pg_handlers handlers;
    char *dsn;
    char *application_name;
    struct pg_hosts hosts;
    size_t first_host; /* the next try begins with it */
    struct buf setup;  /* all statements, one text */
    int64_t connect_timeout_us;
    int64_t statement_timeout_us;

    enum pg_state state;
    PGconn *conn;
    struct loop_io *io;
    unsigned watched;
    struct loop_timer
        *timer;              /* the pause before connecting, or the time-out of what is under way */
    struct loop_timer *step; /* due at once: what frees `io`, which its own callback may not */
    bool lost;               /* the step is to give the connection up, for the reason in `error` */
    struct backoff backoff;

    const char *prepared[PG_STATEMENTS_MAX];
    size_t n_prepared;
    const char *preparing; /* sent, not yet confirmed; NULL: none */
    PGresult *answer;
    pg_result_fn *fn;
    void *fn_arg;
    struct err error;
    char sqlstate[PG_SQLSTATE_SIZE];
};

/* Gives the connection up at the next turn, for the reason in `error`; the first reason stands. */
void pg_lose_soon(struct pg *p);
void pg_lose_soon_by_conn(struct pg *p); /* the reason: libpq's last message */

/* Sends what libpq holds back, and watches for what is needed to go on. */
void pg_send_what_waits(struct pg *p);

/* BUSY, and input has come: hands the statement's end over when it is complete. */
void pg_read_results(struct pg *p);

#endif

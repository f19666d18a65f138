/* An evented connection under test, and what it said. */
#ifndef SENDCODE_TESTS_INTEGRATION_PG_CONN_LIVE_H
#define SENDCODE_TESTS_INTEGRATION_PG_CONN_LIVE_H

#include "common/err.h"
#include "common/pg/pg.h"

struct loop;

#define CONN_LIVE_APPLICATION "pg_conn_test"

struct conn_live {
    struct loop *loop;
    struct pg *pg;
    int ups, downs, answers;
    struct err down;
    struct err error; /* of the last answer; ERR_NONE: it was a result */
    char text[64];    /* the first column of the last result */
    int64_t number;   /* the second */
};

void conn_live_open(struct conn_live *f, const char *dsn, int64_t statement_timeout_us);
void conn_live_open_and_wait(struct conn_live *f, int64_t statement_timeout_us); /* until up */
void conn_live_close(struct conn_live *f);

/* Runs a statement to its end; its columns are a text and a number. */
void conn_live_ask(struct conn_live *f, const char *sql, const struct pg_param *params, int n);

/* Handlers that note what they are told, and stop the loop. */
void conn_live_up(void *arg);
void conn_live_answer(void *arg, const struct pg_result *r, const struct err *e);

/* Conditions for live_run. */
bool conn_live_is_up(const void *arg);
bool conn_live_is_down(const void *arg);
bool conn_live_is_answered(const void *arg);

#endif

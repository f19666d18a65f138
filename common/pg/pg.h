/*
 * PostgreSQL over libpq, evented: one connection, one statement under way, the rest is the caller's
 * queue. Reconnects by itself with back-off. Owner of libpq-fe.h, with the others of this folder.
 */
#ifndef SENDCODE_COMMON_PG_PG_H
#define SENDCODE_COMMON_PG_PG_H

#include "common/base.h"

struct err;
struct loop;
struct pg;
struct pg_result;

/* The schema (number of its newest migration) that the programs of this version need at least. */
#define PG_SCHEMA_NEEDED 33

#define PG_PARAMS_MAX 40

/* Texts are copied. Of several hosts the first that takes writes is used; DNS blocks (hostaddr). */
struct pg_options {
    const char *dsn;
    const char *application_name;
    const char *const *setup; /* NULL-terminated statements run after each connect; may be NULL */
    int connect_timeout_s;    /* from the first packet to the end of the setup */
    int64_t statement_timeout_us; /* 0: none; past it the connection is dropped: result unknown */
};

struct pg_handlers {
    void (*up)(void *arg);                        /* connected and set up: ready for pg_query */
    void (*down)(void *arg, const struct err *e); /* said once per loss, then at each failed try */
    void *arg;
};

/* Connects at the loop's next turn. NULL: the dsn is malformed (PERM). */
NODISCARD struct pg *pg_new(struct loop *l, const struct pg_options *o, const struct pg_handlers *h,
                            struct err *e);
void pg_free(struct pg *p); /* pending callback is not called; NULL is fine */

bool pg_is_ready(const struct pg *p); /* up, and no statement under way */
bool pg_is_up(const struct pg *p);

/* A parameter in binary format; data NULL is SQL NULL. Borrowed only during the call. */
struct pg_param {
    const void *data;
    int len;
};

/*
 * Runs one statement (prepared on first use on each connection, known again by the address of sql,
 * which must outlive p), results in binary format. Only when pg_is_ready.
 * fn is called once: with the result; or with NULL and *e — then class TEMP means that the
 * connection was lost or refused service and that the statement may or may not have been committed,
 * PERM that the server refused it (e->text has the message without detail, pg_last_sqlstate the
 * code) and nothing was changed. fn may ask the next statement at once if pg_is_ready.
 */
typedef void pg_result_fn(void *arg, const struct pg_result *r, const struct err *e);
void pg_query(struct pg *p, const char *sql, const struct pg_param *params, int n, pg_result_fn *fn,
              void *arg);

/* SQLSTATE of the last error given to a callback ("" if it had none). */
const char *pg_last_sqlstate(const struct pg *p);

/* What an operator has to mend before a statement that was refused with this SQLSTATE can pass. */
enum pg_refusal {
    PG_REFUSAL_SCHEMA, /* a schema, table, function or column is missing: migrate */
    PG_REFUSAL_RIGHTS, /* the role may not do it */
    PG_REFUSAL_OTHER,
};
enum pg_refusal pg_refusal_of(const char *sqlstate);

int pg_rows(const struct pg_result *r);
bool pg_null(const struct pg_result *r, int row, int col);
int32_t pg_i32(const struct pg_result *r, int row, int col); /* 0 for NULL; so the others */
int64_t pg_i64(const struct pg_result *r, int row, int col);
bool pg_bool(const struct pg_result *r, int row, int col);
const char *pg_text(const struct pg_result *r, int row, int col); /* NULL for NULL */
const uint8_t *pg_bytes(const struct pg_result *r, int row, int col, size_t *len);
int64_t pg_time_us(const struct pg_result *r, int row, int col); /* timestamptz → Unix µs */
int64_t pg_date_us(const struct pg_result *r, int row, int col); /* date → Unix µs, midnight UTC */

#endif

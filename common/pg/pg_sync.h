/*
 * PostgreSQL for programs that have nothing else to do meanwhile (sendcodectl): one blocking
 * connection, parameters and results as text. Errors: TEMP when the server is unreachable, lost or
 * short of something (exit 69); PERM when it refuses (pg_sync_sqlstate says why; a refused log-in
 * has none).
 */
#ifndef SENDCODE_COMMON_PG_PG_SYNC_H
#define SENDCODE_COMMON_PG_PG_SYNC_H

#include "common/base.h"

struct err;
struct pg_sync;
struct pg_sync_rows;

/* Waits at most timeout_s a host. The caller closes. */
NODISCARD struct pg_sync *pg_sync_open(const char *dsn, const char *application_name, int timeout_s,
                                       struct err *e);
void pg_sync_close(struct pg_sync *s); /* an open transaction is rolled back; NULL is fine */

/*
 * One statement with n parameters $1 … (NULL: SQL NULL; bytea as "\\x…"). Its rows, perhaps none,
 * which the caller frees; NULL and *e on failure.
 */
NODISCARD struct pg_sync_rows *pg_sync_exec(struct pg_sync *s, const char *sql,
                                            const char *const *params, int n, struct err *e);

/* Any number of statements without parameters; the rows are dropped. "BEGIN", "COMMIT", a file. */
NODISCARD int pg_sync_run(struct pg_sync *s, const char *sql, struct err *e);

/* SQLSTATE of the last failure, "" if it had none. */
const char *pg_sync_sqlstate(const struct pg_sync *s);

int pg_sync_count(const struct pg_sync_rows *r);
int pg_sync_columns(const struct pg_sync_rows *r);
const char *pg_sync_column(const struct pg_sync_rows *r, int col);        /* its name */
const char *pg_sync_cell(const struct pg_sync_rows *r, int row, int col); /* NULL for NULL */
void pg_sync_rows_free(struct pg_sync_rows *r);                           /* NULL is fine */

#endif

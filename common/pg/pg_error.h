/*
 * How libpq's errors become ours: one line, a class, the SQLSTATE. Its notices are dropped. For pg
 * and pg_sync only.
 */
#ifndef SENDCODE_COMMON_PG_PG_ERROR_H
#define SENDCODE_COMMON_PG_PG_ERROR_H

#include <libpq-fe.h>

#include "common/base.h"

struct err;

#define PG_SQLSTATE_SIZE 6

/*
 * A statement's error. TEMP: the same statement may pass later, or elsewhere. The text is the
 * server's message without its detail; of class 22 (bad data) only the SQLSTATE, because the
 * message quotes the value.
 */
void pg_error_from_result(const PGresult *r, char sqlstate[PG_SQLSTATE_SIZE], struct err *e);

/* The connection's last message; always TEMP, without SQLSTATE. */
void pg_error_from_conn(const PGconn *conn, struct err *e);

/* 0, or -1 and PERM when libpq cannot read the connection string. */
NODISCARD int pg_error_check_dsn(const char *dsn, struct err *e);

/* Another connection may do what this one refuses: read-only, cached plan or statement outdated. */
bool pg_error_wants_reconnect(const char *sqlstate);

/* libpq would print them on stderr. */
void pg_error_ignore_notices(PGconn *conn);

#endif

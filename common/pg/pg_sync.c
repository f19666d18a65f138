/* The blocking client, over libpq's blocking calls. */
#include "common/pg/pg_sync.h"

#include <stdio.h>

#include "common/err.h"
#include "common/mem.h"
#include "common/pg/pg_error.h"

struct pg_sync {
    PGconn *conn;
    char sqlstate[PG_SQLSTATE_SIZE];
};

/* libpq does not say why a log-in failed; a server that answers a ping has refused it for good. */
static void explain_failure(const char *const *keywords, const char *const *values,
                            const PGconn *conn, struct err *e)
{
    pg_error_from_conn(conn, e);
    if (PQpingParams(keywords, values, 1) == PQPING_OK)
        e->class = ERR_PERM;
}

struct pg_sync *pg_sync_open(const char *dsn, const char *application_name, int timeout_s,
                             struct err *e)
{
    char timeout[16];
    const char *const keywords[] = {
        "target_session_attrs", "tcp_user_timeout", "dbname", "application_name",
        "connect_timeout",      "client_encoding",  NULL};
    const char *const values[] = {"read-write", "20000", dsn, application_name,
                                  timeout,      "UTF8",  NULL};
    struct pg_sync *s;
    PGconn *conn;
    struct err local;

    if (!e)
        e = &local;
    if (pg_error_check_dsn(dsn, e) != 0)
        return NULL;
    snprintf(timeout, sizeof timeout, "%d", timeout_s);
    conn = PQconnectdbParams(keywords, values, 1);
    if (!conn || PQstatus(conn) != CONNECTION_OK) {
        explain_failure(keywords, values, conn, e);
        PQfinish(conn);
        return NULL;
    }
    pg_error_ignore_notices(conn);
    s = mem_must_alloc(sizeof *s);
    s->conn = conn;
    return s;
}

void pg_sync_close(struct pg_sync *s)
{
    if (!s)
        return;
    PQfinish(s->conn);
    mem_free(s);
}

/* Takes r over when it is an error. */
static bool failed(struct pg_sync *s, PGresult *r, struct err *e)
{
    ExecStatusType status = PQresultStatus(r);

    s->sqlstate[0] = '\0';
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY)
        return false;
    pg_error_from_result(r, s->sqlstate, e);
    PQclear(r);
    return true;
}

struct pg_sync_rows *pg_sync_exec(struct pg_sync *s, const char *sql, const char *const *params,
                                  int n, struct err *e)
{
    PGresult *r = PQexecParams(s->conn, sql, n, NULL, params, NULL, NULL, 0);

    return failed(s, r, e) ? NULL : (struct pg_sync_rows *)r;
}

int pg_sync_run(struct pg_sync *s, const char *sql, struct err *e)
{
    PGresult *r = PQexec(s->conn, sql);

    if (failed(s, r, e))
        return -1;
    PQclear(r);
    return 0;
}

const char *pg_sync_sqlstate(const struct pg_sync *s)
{
    return s->sqlstate;
}

static const PGresult *pq(const struct pg_sync_rows *r)
{
    return (const PGresult *)r;
}

int pg_sync_count(const struct pg_sync_rows *r)
{
    return PQntuples(pq(r));
}

int pg_sync_columns(const struct pg_sync_rows *r)
{
    return PQnfields(pq(r));
}

const char *pg_sync_column(const struct pg_sync_rows *r, int col)
{
    return PQfname(pq(r), col);
}

const char *pg_sync_cell(const struct pg_sync_rows *r, int row, int col)
{
    return PQgetisnull(pq(r), row, col) ? NULL : PQgetvalue(pq(r), row, col);
}

void pg_sync_rows_free(struct pg_sync_rows *r)
{
    PQclear((PGresult *)r);
}

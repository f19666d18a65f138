/* Classes of PostgreSQL's errors, and libpq's many-lined messages made one line. */
#include "common/pg/pg_error.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/pg/pg.h"

/* Connection, rollback, resources, not in the needed state, operator, system, internal. */
static const char *const temp_classes[] = {"08", "40", "53", "55", "57", "58", "XX"};

/* Read-only server (a standby), result type changed by a migration, prepared statement gone. */
static const char *const reconnect_states[] = {"25006", "0A000", "26000"};

/* Schema, table, function or column missing. */
static const char *const schema_states[] = {"3F000", "42P01", "42883", "42703"};

static void one_line(const char *message, char *out, size_t size)
{
    size_t n = 0;
    bool gap = false;

    for (const char *p = message; *p && n + 2 < size; p++) {
        if ((unsigned char)*p <= ' ') {
            gap = n > 0;
            continue;
        }
        if (gap)
            out[n++] = ' ';
        gap = false;
        out[n++] = *p;
    }
    out[n] = '\0';
}

static bool is_among(const char *sqlstate, const char *const *states, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(sqlstate, states[i]) == 0)
            return true;
    }
    return false;
}

bool pg_error_wants_reconnect(const char *sqlstate)
{
    return is_among(sqlstate, reconnect_states, ARRAY_LEN(reconnect_states));
}

enum pg_refusal pg_refusal_of(const char *sqlstate)
{
    if (is_among(sqlstate, schema_states, ARRAY_LEN(schema_states)))
        return PG_REFUSAL_SCHEMA;
    return strcmp(sqlstate, "42501") == 0 ? PG_REFUSAL_RIGHTS : PG_REFUSAL_OTHER;
}

static bool is_temp(const char *sqlstate, const PGresult *r)
{
    if (sqlstate[0] == '\0') /* libpq's own: connection lost, or no memory */
        return true;
    for (size_t i = 0; i < ARRAY_LEN(temp_classes); i++) {
        if (strncmp(sqlstate, temp_classes[i], 2) == 0)
            return true;
    }
    /* A check without a name is a missing partition, which comes with the next sweep. */
    if (strcmp(sqlstate, "23514") == 0 && !PQresultErrorField(r, PG_DIAG_CONSTRAINT_NAME))
        return true;
    return pg_error_wants_reconnect(sqlstate);
}

void pg_error_from_result(const PGresult *r, char sqlstate[PG_SQLSTATE_SIZE], struct err *e)
{
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    char line[400];

    snprintf(sqlstate, PG_SQLSTATE_SIZE, "%s", state ? state : "");
    one_line(message ? message : PQresultErrorMessage(r), line, sizeof line);
    if (strncmp(sqlstate, "22", 2) == 0)
        err_set(e, ERR_PERM, 0, "PostgreSQL refuses the data (SQLSTATE %s)", sqlstate);
    else if (sqlstate[0])
        err_set(e, is_temp(sqlstate, r) ? ERR_TEMP : ERR_PERM, 0, "PostgreSQL: %s (SQLSTATE %s)",
                line, sqlstate);
    else
        err_set(e, ERR_TEMP, 0, "PostgreSQL: %s", line[0] ? line : "the connection was lost");
}

void pg_error_from_conn(const PGconn *conn, struct err *e)
{
    char line[400];

    one_line(PQerrorMessage(conn), line, sizeof line);
    err_set(e, ERR_TEMP, 0, "PostgreSQL: %s", line[0] ? line : "the connection was lost");
}

static void ignore_notice(void *arg, const PGresult *r)
{
    (void)arg;
    (void)r;
}

void pg_error_ignore_notices(PGconn *conn)
{
    PQsetNoticeReceiver(conn, ignore_notice, NULL);
}

int pg_error_check_dsn(const char *dsn, struct err *e)
{
    char *why = NULL;
    char line[300] = "";
    PQconninfoOption *options = PQconninfoParse(dsn, &why);

    if (options) {
        PQconninfoFree(options);
        return 0;
    }
    if (why)
        one_line(why, line, sizeof line);
    PQfreemem(why);
    return err_set(e, ERR_PERM, 0, "[postgres] dsn is no connection string for libpq: %s",
                   line[0] ? line : "no memory");
}

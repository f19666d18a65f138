/* Reads the binary results of pg_query. */
#include <libpq-fe.h>

#include "common/pg/pg.h"
#include "common/pg/pg_wire.h"

static const PGresult *pq(const struct pg_result *r)
{
    return (const PGresult *)r;
}

int pg_rows(const struct pg_result *r)
{
    return PQntuples(pq(r));
}

bool pg_null(const struct pg_result *r, int row, int col)
{
    return PQgetisnull(pq(r), row, col) == 1;
}

/* Any width of integer, so that a function may widen a column. */
int64_t pg_i64(const struct pg_result *r, int row, int col)
{
    const char *value = PQgetvalue(pq(r), row, col);

    switch (PQgetlength(pq(r), row, col)) {
    case 8:
        return pg_wire_i64(value);
    case 4:
        return pg_wire_i32(value);
    default:
        return 0;
    }
}

int32_t pg_i32(const struct pg_result *r, int row, int col)
{
    return (int32_t)pg_i64(r, row, col);
}

bool pg_bool(const struct pg_result *r, int row, int col)
{
    return PQgetlength(pq(r), row, col) == 1 && PQgetvalue(pq(r), row, col)[0] != 0;
}

const char *pg_text(const struct pg_result *r, int row, int col)
{
    return pg_null(r, row, col) ? NULL : PQgetvalue(pq(r), row, col);
}

const uint8_t *pg_bytes(const struct pg_result *r, int row, int col, size_t *len)
{
    *len = 0;
    if (pg_null(r, row, col))
        return NULL;
    *len = (size_t)PQgetlength(pq(r), row, col);
    return (const uint8_t *)PQgetvalue(pq(r), row, col);
}

int64_t pg_time_us(const struct pg_result *r, int row, int col)
{
    if (pg_null(r, row, col))
        return 0;
    return pg_i64(r, row, col) + PG_EPOCH_US;
}

int64_t pg_date_us(const struct pg_result *r, int row, int col)
{
    if (pg_null(r, row, col))
        return 0;
    return (pg_i64(r, row, col) + PG_EPOCH_DAY) * US_PER_DAY;
}

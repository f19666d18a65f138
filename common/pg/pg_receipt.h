/* Receipts as PostgreSQL takes them: an array a column, in the order of the table's columns. */
#ifndef SENDCODE_COMMON_PG_PG_RECEIPT_H
#define SENDCODE_COMMON_PG_PG_RECEIPT_H

#include "common/pg/pg_array.h"

struct receipt;

/* X(SUFFIX, column, type); raw_type: PG_BYTEA, or PG_TEXT where every raw is UTF-8 without NUL. */
#define PG_RECEIPT_COLUMNS(X, raw_type)                                                            \
    X(SERIAL_NO, "serial_no", PG_TEXT)                                                             \
    X(PHONE, "phone", PG_TEXT)                                                                     \
    X(STATUS, "status", PG_TEXT)                                                                   \
    X(CODE, "code", PG_TEXT)                                                                       \
    X(DESCRIPTION, "description", PG_TEXT)                                                         \
    X(USER_RECEIVED_AT, "user_received_at", PG_TIMESTAMPTZ)                                        \
    X(RAW, "raw", raw_type)                                                                        \
    X(FAULT, "fault", PG_TEXT)
#define PG_RECEIPT_ENUM_(suffix, name, type) PG_RECEIPT_##suffix,
enum pg_receipt_column { PG_RECEIPT_COLUMNS(PG_RECEIPT_ENUM_, PG_BYTEA) PG_RECEIPT_COLUMN_COUNT };
#undef PG_RECEIPT_ENUM_

/* columns: PG_RECEIPT_COLUMN_COUNT arrays of those types. */
void pg_receipt_add(struct pg_array *columns, const struct receipt *r);

#endif

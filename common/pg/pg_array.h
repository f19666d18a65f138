/* Builds one-dimensional arrays in PostgreSQL's binary format, for parameters of pg_query. */
#ifndef SENDCODE_COMMON_PG_PG_ARRAY_H
#define SENDCODE_COMMON_PG_PG_ARRAY_H

#include "common/base.h"
#include "common/buf.h"
#include "common/pg/pg.h"

/* X(SUFFIX, name for casts in SQL, oid) */
#define PG_TYPES(X)                                                                                \
    X(BOOL, "bool", 16)                                                                            \
    X(INT4, "int", 23)                                                                             \
    X(INT8, "bigint", 20)                                                                          \
    X(TEXT, "text", 25)                                                                            \
    X(BYTEA, "bytea", 17)                                                                          \
    X(TIMESTAMPTZ, "timestamptz", 1184)                                                            \
    X(DATE, "date", 1082)
#define PG_TYPE_ENUM_(suffix, text, oid) PG_##suffix,
enum pg_type { PG_TYPES(PG_TYPE_ENUM_) PG_TYPE_COUNT };
#undef PG_TYPE_ENUM_

const char *pg_type_to_text(enum pg_type type); /* "int", "timestamptz", … */

struct pg_array {
    enum pg_type type;
    int32_t n;
    bool has_null;
    struct buf bytes;
};

void pg_array_init(struct pg_array *a, enum pg_type type);
void pg_array_add_null(struct pg_array *a);
void pg_array_add_bool(struct pg_array *a, bool v);
void pg_array_add_i32(struct pg_array *a, int32_t v);
void pg_array_add_i64(struct pg_array *a, int64_t v);
void pg_array_add_text(struct pg_array *a, const char *s); /* NULL adds a NULL */
void pg_array_add_bytes(struct pg_array *a, const void *p, size_t len);
void pg_array_add_time(struct pg_array *a, int64_t unix_us);
void pg_array_add_date(struct pg_array *a, int64_t unix_us);

/* Makes *a the elements [from, from + n) of `whole`, which has them. */
void pg_array_set_slice(struct pg_array *a, const struct pg_array *whole, int32_t from, int32_t n);

/* Finishes the header; valid until free or the next add. Panics if an add found no memory. */
struct pg_param pg_array_param(struct pg_array *a);
void pg_array_clear(struct pg_array *a); /* for the next batch; keeps the memory */
void pg_array_free(struct pg_array *a);

/* Scalars: encode into a small caller-owned slot. */
struct pg_scalar {
    uint8_t bytes[8];
};
struct pg_param pg_param_text(const char *s); /* NULL is SQL NULL */
struct pg_param pg_param_bytes(const void *p, size_t len);
struct pg_param pg_param_bool(struct pg_scalar *slot, bool v);
struct pg_param pg_param_i32(struct pg_scalar *slot, int32_t v);
struct pg_param pg_param_i64(struct pg_scalar *slot, int64_t v);
struct pg_param pg_param_date(struct pg_scalar *slot, int64_t unix_us);

#endif

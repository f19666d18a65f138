/*
 * Arrays in PostgreSQL's binary format (array_recv in its source): a header of five numbers, then
 * each element with its length before it.
 */
#include "common/pg/pg_array.h"

#include "common/pg/pg_wire.h"

#define HEADER_SIZE 20
#define EMPTY_HEADER_SIZE 12 /* no dimension */
#define LENGTH_SIZE 4

#define TYPE_TEXT(suffix, text, oid) [PG_##suffix] = (text),
#define TYPE_OID(suffix, text, oid) [PG_##suffix] = (oid),
static const char *const type_texts[PG_TYPE_COUNT] = {PG_TYPES(TYPE_TEXT)};
static const int32_t type_oids[PG_TYPE_COUNT] = {PG_TYPES(TYPE_OID)};

const char *pg_type_to_text(enum pg_type type)
{
    return type_texts[type];
}

void pg_array_init(struct pg_array *a, enum pg_type type)
{
    *a = (struct pg_array){.type = type};
}

/* One element: its length and its bytes, which may be none. */
static void add(struct pg_array *a, int32_t len, const void *bytes, size_t n_bytes)
{
    uint8_t small[LENGTH_SIZE + 8];

    if (a->n == 0)
        buf_add(&a->bytes, (const uint8_t[HEADER_SIZE]){0}, HEADER_SIZE);
    a->n++;
    pg_wire_put_i32(small, len);
    if (n_bytes <= 8) {
        if (n_bytes > 0)
            memcpy(small + LENGTH_SIZE, bytes, n_bytes);
        buf_add(&a->bytes, small, LENGTH_SIZE + n_bytes);
    } else {
        buf_add(&a->bytes, small, LENGTH_SIZE);
        buf_add(&a->bytes, bytes, n_bytes);
    }
}

void pg_array_add_null(struct pg_array *a)
{
    a->has_null = true;
    add(a, -1, NULL, 0);
}

void pg_array_add_bool(struct pg_array *a, bool v)
{
    uint8_t byte = v ? 1 : 0;
    add(a, 1, &byte, 1);
}

void pg_array_add_i32(struct pg_array *a, int32_t v)
{
    uint8_t wire[4];
    pg_wire_put_i32(wire, v);
    add(a, 4, wire, 4);
}

void pg_array_add_i64(struct pg_array *a, int64_t v)
{
    uint8_t wire[8];
    pg_wire_put_i64(wire, v);
    add(a, 8, wire, 8);
}

void pg_array_add_text(struct pg_array *a, const char *s)
{
    if (s)
        pg_array_add_bytes(a, s, strlen(s));
    else
        pg_array_add_null(a);
}

void pg_array_add_bytes(struct pg_array *a, const void *p, size_t len)
{
    if (len > INT32_MAX)
        panic("an array element of %zu bytes", len);
    add(a, (int32_t)len, p, len);
}

void pg_array_add_time(struct pg_array *a, int64_t unix_us)
{
    pg_array_add_i64(a, unix_us - PG_EPOCH_US);
}

static int32_t pg_day(int64_t unix_us)
{
    int64_t day = unix_us / US_PER_DAY - (unix_us % US_PER_DAY < 0 ? 1 : 0);
    return (int32_t)(day - PG_EPOCH_DAY);
}

void pg_array_add_date(struct pg_array *a, int64_t unix_us)
{
    pg_array_add_i32(a, pg_day(unix_us));
}

static size_t element_end(const struct pg_array *a, size_t at)
{
    int32_t len = pg_wire_i32(a->bytes.data + at);
    return at + LENGTH_SIZE + (len > 0 ? (size_t)len : 0);
}

void pg_array_set_slice(struct pg_array *a, const struct pg_array *whole, int32_t from, int32_t n)
{
    size_t begin = HEADER_SIZE;
    size_t end;

    if (from < 0 || n < 0 || from > whole->n - n)
        panic("elements %d+%d of an array of %d", from, n, whole->n);
    pg_array_clear(a);
    a->type = whole->type;
    if (n == 0)
        return;
    for (int32_t i = 0; i < from; i++)
        begin = element_end(whole, begin);
    end = begin;
    for (int32_t i = 0; i < n; i++)
        end = element_end(whole, end);
    buf_add(&a->bytes, (const uint8_t[HEADER_SIZE]){0}, HEADER_SIZE);
    buf_add(&a->bytes, whole->bytes.data + begin, end - begin);
    a->n = n;
    a->has_null = whole->has_null;
}

struct pg_param pg_array_param(struct pg_array *a)
{
    uint8_t header[HEADER_SIZE];

    if (a->n == 0)
        buf_add(&a->bytes, (const uint8_t[HEADER_SIZE]){0}, HEADER_SIZE);
    if (a->bytes.failed || a->bytes.len > INT32_MAX)
        panic("no memory for the parameters of a statement");
    pg_wire_put_i32(header, a->n > 0 ? 1 : 0); /* dimensions */
    pg_wire_put_i32(header + 4, a->has_null ? 1 : 0);
    pg_wire_put_i32(header + 8, type_oids[a->type]);
    pg_wire_put_i32(header + 12, a->n);
    pg_wire_put_i32(header + 16, 1); /* the first index */
    memcpy(a->bytes.data, header, sizeof header);
    if (a->n == 0)
        a->bytes.len = 0; /* so that the next add begins anew; the bytes stay */
    return (struct pg_param){a->bytes.data, a->n > 0 ? (int)a->bytes.len : EMPTY_HEADER_SIZE};
}

void pg_array_clear(struct pg_array *a)
{
    buf_clear(&a->bytes);
    a->n = 0;
    a->has_null = false;
}

void pg_array_free(struct pg_array *a)
{
    buf_free(&a->bytes);
    a->n = 0;
    a->has_null = false;
}

struct pg_param pg_param_text(const char *s)
{
    return (struct pg_param){s, s ? (int)strlen(s) : 0};
}

struct pg_param pg_param_bytes(const void *p, size_t len)
{
    return (struct pg_param){p, (int)len};
}

struct pg_param pg_param_bool(struct pg_scalar *slot, bool v)
{
    slot->bytes[0] = v ? 1 : 0;
    return (struct pg_param){slot->bytes, 1};
}

struct pg_param pg_param_i32(struct pg_scalar *slot, int32_t v)
{
    pg_wire_put_i32(slot->bytes, v);
    return (struct pg_param){slot->bytes, 4};
}

struct pg_param pg_param_i64(struct pg_scalar *slot, int64_t v)
{
    pg_wire_put_i64(slot->bytes, v);
    return (struct pg_param){slot->bytes, 8};
}

struct pg_param pg_param_date(struct pg_scalar *slot, int64_t unix_us)
{
    return pg_param_i32(slot, pg_day(unix_us));
}

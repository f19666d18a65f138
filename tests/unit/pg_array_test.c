/* Parameters of statements: the bytes that PostgreSQL's array_recv expects. */
#include <string.h>

#include "common/pg/pg_array.h"
#include "tests/check.h"

#define DAY_US (INT64_C(86400) * US_PER_S)

/* Fills *a as a case wants it. */
typedef void fill_fn(struct pg_array *a);

static void fill_nothing(struct pg_array *a)
{
    (void)a;
}

static void fill_ints(struct pg_array *a)
{
    pg_array_add_i32(a, 1);
    pg_array_add_i32(a, -2);
}

static void fill_int_and_null(struct pg_array *a)
{
    pg_array_add_i32(a, 7);
    pg_array_add_null(a);
}

static void fill_bigint(struct pg_array *a)
{
    pg_array_add_i64(a, INT64_C(0x0102030405060708));
}

static void fill_bools(struct pg_array *a)
{
    pg_array_add_bool(a, true);
    pg_array_add_bool(a, false);
}

static void fill_texts(struct pg_array *a)
{
    pg_array_add_text(a, "");
    pg_array_add_text(a, "ninechars");
    pg_array_add_text(a, NULL);
}

static void fill_bytes(struct pg_array *a)
{
    pg_array_add_bytes(a, "\0\xff", 2);
}

static void fill_times(struct pg_array *a)
{
    pg_array_add_time(a, INT64_C(946684800000001)); /* 2000-01-01 00:00:00.000001 */
}

static void fill_dates(struct pg_array *a)
{
    pg_array_add_date(a, INT64_C(946684800) * US_PER_S + DAY_US - 1); /* 2000-01-01, its end */
    pg_array_add_date(a, INT64_C(-1));                                /* 1969-12-31 */
}

#define HEADER(nulls, oid_hi, oid_lo, n)                                                           \
    "\0\0\0\1\0\0\0" nulls "\0\0" oid_hi oid_lo "\0\0\0" n "\0\0\0\1"
#define CASE(type, fill, bytes)                                                                    \
    {                                                                                              \
#fill, type, fill, bytes, sizeof(bytes) - 1                                                \
    }

static const struct {
    const char *name;
    enum pg_type type;
    fill_fn *fill;
    const char *bytes;
    size_t len;
} cases[] = {
    CASE(PG_INT4, fill_nothing, "\0\0\0\0\0\0\0\0\0\0\0\x17"),
    CASE(PG_INT4, fill_ints,
         HEADER("\0", "\0", "\x17", "\2") "\0\0\0\4\0\0\0\1\0\0\0\4\xff\xff\xff\xfe"),
    CASE(PG_INT4, fill_int_and_null,
         HEADER("\1", "\0", "\x17", "\2") "\0\0\0\4\0\0\0\7\xff\xff\xff\xff"),
    CASE(PG_INT8, fill_bigint, HEADER("\0", "\0", "\x14", "\1") "\0\0\0\x8\1\2\3\4\5\6\7\x8"),
    CASE(PG_BOOL, fill_bools, HEADER("\0", "\0", "\x10", "\2") "\0\0\0\1\1\0\0\0\1\0"),
    CASE(PG_TEXT, fill_texts,
         HEADER("\1", "\0", "\x19", "\3") "\0\0\0\0\0\0\0\x9ninechars\xff\xff\xff\xff"),
    CASE(PG_BYTEA, fill_bytes, HEADER("\0", "\0", "\x11", "\1") "\0\0\0\2\0\xff"),
    CASE(PG_TIMESTAMPTZ, fill_times, HEADER("\0", "\4", "\xa0", "\1") "\0\0\0\x8\0\0\0\0\0\0\0\1"),
    CASE(PG_DATE, fill_dates,
         HEADER("\0", "\4", "\x3a", "\2") "\0\0\0\4\0\0\0\0\0\0\0\4\xff\xff\xd5\x32"),
};

static void assert_bytes(struct pg_array *a, const char *bytes, size_t len)
{
    struct pg_param p = pg_array_param(a);

    assert_int_equal(p.len, len);
    assert_memory_equal(p.data, bytes, len);
}

static void arrays_have_the_servers_format(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pg_array a;
        print_message("%s\n", cases[i].name);
        pg_array_init(&a, cases[i].type);
        cases[i].fill(&a);
        assert_bytes(&a, cases[i].bytes, cases[i].len);
        /* And again after another use of the same memory. */
        pg_array_clear(&a);
        pg_array_add_null(&a);
        assert_int_equal(pg_array_param(&a).len, 24);
        pg_array_clear(&a);
        cases[i].fill(&a);
        assert_bytes(&a, cases[i].bytes, cases[i].len);
        pg_array_free(&a);
    }
}

static void a_slice_has_only_its_elements(void **state)
{
    struct pg_array whole;
    struct pg_array part;
    static const char last_two[] = HEADER("\1", "\0", "\x19", "\2") "\0\0\0\2cc\xff\xff\xff\xff";

    (void)state;
    pg_array_init(&whole, PG_TEXT);
    pg_array_init(&part, PG_TEXT);
    pg_array_add_text(&whole, "a");
    pg_array_add_text(&whole, NULL);
    pg_array_add_text(&whole, "cc");
    pg_array_add_text(&whole, NULL);
    pg_array_set_slice(&part, &whole, 2, 2);
    assert_bytes(&part, last_two, sizeof last_two - 1);
    pg_array_set_slice(&part, &whole, 4, 0);
    assert_int_equal(pg_array_param(&part).len, 12);
    pg_array_free(&whole);
    pg_array_free(&part);
}

static void scalars_are_in_network_order(void **state)
{
    struct pg_scalar slot;

    (void)state;
    assert_memory_equal(pg_param_i32(&slot, 258).data, "\0\0\1\2", 4);
    assert_null(pg_param_text(NULL).data);
    assert_int_equal(pg_param_text("abc").len, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_have_the_servers_format),
        cmocka_unit_test(a_slice_has_only_its_elements),
        cmocka_unit_test(scalars_are_in_network_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

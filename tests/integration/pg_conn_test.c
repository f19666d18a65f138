/* The evented connection on a real server: values, statements, refusals. */
#include <stdlib.h>
#include <string.h>

#include "common/loop.h"
#include "common/pg/pg_array.h"
#include "tests/check.h"
#include "tests/integration/pg_conn_live.h"
#include "tests/integration/pg_live.h"

#define TIME_US INT64_C(1795334400123456)
#define DAY_US INT64_C(1795305600000000) /* the day of TIME_US */

static void on_types(void *arg, const struct pg_result *r, const struct err *e)
{
    struct conn_live *f = arg;
    size_t len;

    assert_null(e);
    assert_int_equal(pg_rows(r), 2);
    assert_int_equal(pg_i32(r, 0, 0), -5);
    assert_int_equal(pg_i64(r, 0, 1), INT64_C(1) << 40);
    assert_string_equal(pg_text(r, 0, 2), "\xe4\xb8\xad");
    assert_memory_equal(pg_bytes(r, 0, 3, &len), "\0\1", 2);
    assert_int_equal(len, 2);
    assert_true(pg_bool(r, 0, 4));
    assert_int_equal(pg_time_us(r, 0, 5), TIME_US);
    assert_int_equal(pg_date_us(r, 0, 6), DAY_US);
    assert_string_equal(pg_text(r, 0, 7), "2026-11-22 08:00:00.123456+00 2026-11-22");
    for (int col = 0; col < 8; col++)
        assert_true(pg_null(r, 1, col));
    assert_null(pg_text(r, 1, 2));
    assert_int_equal(pg_time_us(r, 1, 5), 0);
    f->answers++;
    loop_stop(f->loop);
}

static void values_come_back_as_they_went(void **state)
{
    static const char sql[] =
        "select *, (t at time zone 'UTC')::text || '+00 ' || d::text from unnest($1::int[], "
        "$2::bigint[], $3::text[], $4::bytea[], $5::bool[], $6::timestamptz[], $7::date[]) "
        "x(i, l, s, b, o, t, d)";
    struct conn_live f;
    struct pg_array a[7];
    struct pg_param params[7];

    (void)state;
    conn_live_open_and_wait(&f, 0);
    for (int i = 0; i < 7; i++)
        pg_array_init(&a[i], (const enum pg_type[]){PG_INT4, PG_INT8, PG_TEXT, PG_BYTEA, PG_BOOL,
                                                    PG_TIMESTAMPTZ, PG_DATE}[i]);
    pg_array_add_i32(&a[0], -5);
    pg_array_add_i64(&a[1], INT64_C(1) << 40);
    pg_array_add_text(&a[2], "\xe4\xb8\xad");
    pg_array_add_bytes(&a[3], "\0\1", 2);
    pg_array_add_bool(&a[4], true);
    pg_array_add_time(&a[5], TIME_US);
    pg_array_add_date(&a[6], TIME_US);
    for (int i = 0; i < 7; i++) {
        pg_array_add_null(&a[i]);
        params[i] = pg_array_param(&a[i]);
    }
    f.answers = 0;
    pg_query(f.pg, sql, params, 7, on_types, &f);
    live_run(f.loop, conn_live_is_answered, &f);
    for (int i = 0; i < 7; i++)
        pg_array_free(&a[i]);
    conn_live_close(&f);
}

static void a_statement_is_prepared_once_and_the_setup_holds(void **state)
{
    static const char sql[] = "select current_setting('timezone'), count(*) from "
                              "pg_prepared_statements";
    struct conn_live f;

    (void)state;
    conn_live_open_and_wait(&f, 0);
    for (int i = 0; i < 3; i++) {
        conn_live_ask(&f, sql, NULL, 0);
        assert_string_equal(f.text, "Asia/Shanghai");
        assert_int_equal(f.number, 1);
    }
    conn_live_close(&f);
}

static void megabytes_go_through_without_blocking(void **state)
{
    enum { SIZE = 32 << 20 };
    struct conn_live f;
    char *big = malloc(SIZE);
    struct pg_param param;

    (void)state;
    memset(big, 'x', SIZE);
    param = pg_param_bytes(big, SIZE);
    conn_live_open_and_wait(&f, 0);
    conn_live_ask(&f, "select 'length', length($1::text)", &param, 1);
    assert_int_equal(f.error.class, ERR_NONE);
    assert_int_equal(f.number, SIZE);
    conn_live_close(&f);
    free(big);
}

/* A missing partition (23514 of no constraint) is no fault of the row's: the sweep makes it. */
static void a_refused_statement_is_told_and_the_connection_stays(void **state)
{
    static const struct {
        const char *sql;
        const char *param;
        const char *sqlstate;
        enum err_class class;
    } cases[] = {
        {"select $1::text::int::text, 1",                        "sesame", "22P02", ERR_PERM},
        {"select $1::text, 1",                                   "a\xff",  "22021", ERR_PERM},
        {"select nothing.here($1::text)",                        "a",      "3F000", ERR_PERM},
        {"select nosuch($1::text)",                              "a",      "42883", ERR_PERM},
        {"create temp table p(a text) partition by list(a)",     NULL,     "",      ERR_NONE},
        {"insert into p values ($1::text)",                      "a",      "23514", ERR_TEMP},
        {"create temp table c(a text check (a <> 'a'))",         NULL,     "",      ERR_NONE},
        {"insert into c values ($1::text)",                      "a",      "23514", ERR_PERM},
        {"select set_config('statement_timeout', $1, false), 1", "50",     "",      ERR_NONE},
        {"select pg_sleep(30)::text || $1::text, 1",             "a",      "57014", ERR_TEMP},
    };
    struct conn_live f;

    (void)state;
    conn_live_open_and_wait(&f, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pg_param param = pg_param_text(cases[i].param);
        conn_live_ask(&f, cases[i].sql, &param, cases[i].param ? 1 : 0);
        assert_int_equal(f.error.class, cases[i].class);
        assert_string_equal(pg_last_sqlstate(f.pg), cases[i].sqlstate);
        assert_null(strstr(f.error.text, "sesame"));
        assert_null(strchr(f.error.text, '\n'));
    }
    assert_int_equal(f.downs, 0);
    conn_live_close(&f);
}

static void a_malformed_dsn_is_refused_at_once(void **state)
{
    struct err e;
    struct loop *l = loop_new(&e);
    struct pg_options o = {.dsn = "host=x no_such_key=1", .application_name = "x"};
    struct pg_handlers h = {.arg = NULL};

    (void)state;
    assert_null(pg_new(l, &o, &h, &e));
    assert_int_equal(e.class, ERR_PERM);
    assert_non_null(strstr(e.text, "no_such_key"));
    loop_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_back_as_they_went),
        cmocka_unit_test(a_statement_is_prepared_once_and_the_setup_holds),
        cmocka_unit_test(megabytes_go_through_without_blocking),
        cmocka_unit_test(a_refused_statement_is_told_and_the_connection_stays),
        cmocka_unit_test(a_malformed_dsn_is_refused_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The blocking client on a real server. */
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/pg/pg_sync.h"
#include "tests/check.h"
#include "tests/integration/pg_live.h"

static void a_failed_open_says_whether_trying_later_helps(void **state)
{
    char no_database[512];
    const struct {
        const char *dsn;
        enum err_class class;
    } cases[] = {
        {"host=127.0.0.1 port=1 user=x dbname=x", ERR_TEMP},
        {"host=127.0.0.1 no_such_key=1",          ERR_PERM},
        {no_database,                             ERR_PERM},
    };

    (void)state;
    snprintf(no_database, sizeof no_database, "%s dbname=no_such_database", live_dsn());
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = {.class = ERR_NONE};
        assert_null(pg_sync_open(cases[i].dsn, "test", 2, &e));
        assert_int_equal(e.class, cases[i].class);
        assert_null(strchr(e.text, '\n'));
        assert_null(pg_sync_open(cases[i].dsn, "test", 2, NULL));
    }
}

static void rows_columns_and_nulls_are_read(void **state)
{
    struct err e;
    struct pg_sync *s = pg_sync_open(live_dsn(), "test", 10, &e);
    const char *const params[] = {"7", NULL, "\\x6162"};
    struct pg_sync_rows *r;

    (void)state;
    assert_non_null(s);
    r = pg_sync_exec(s,
                     "select $1::int * g as n, $2::text as nothing, $3::bytea from "
                     "generate_series(1, 2) g",
                     params, 3, &e);
    assert_non_null(r);
    assert_int_equal(pg_sync_count(r), 2);
    assert_int_equal(pg_sync_columns(r), 3);
    assert_string_equal(pg_sync_column(r, 0), "n");
    assert_string_equal(pg_sync_cell(r, 1, 0), "14");
    assert_null(pg_sync_cell(r, 0, 1));
    assert_string_equal(pg_sync_cell(r, 0, 2), "\\x6162");
    pg_sync_rows_free(r);
    pg_sync_close(s);
}

static void a_failed_statement_can_be_rolled_back(void **state)
{
    struct err e;
    struct pg_sync *s = pg_sync_open(live_dsn(), "test", 10, &e);
    struct pg_sync_rows *r;

    (void)state;
    assert_non_null(s);
    assert_int_equal(pg_sync_run(s, "begin; create temp table t(a int)", &e), 0);
    assert_null(pg_sync_exec(s, "select 1/0", NULL, 0, &e));
    assert_string_equal(pg_sync_sqlstate(s), "22012");
    assert_int_equal(e.class, ERR_PERM);
    assert_int_equal(pg_sync_run(s, "rollback", &e), 0);
    assert_string_equal(pg_sync_sqlstate(s), "");
    r = pg_sync_exec(s, "select to_regclass('pg_temp.t')", NULL, 0, &e);
    assert_non_null(r);
    assert_null(pg_sync_cell(r, 0, 0));
    pg_sync_rows_free(r);
    pg_sync_close(s);
}

static void a_lost_connection_is_temporary(void **state)
{
    struct err e = {.class = ERR_NONE};
    struct pg_sync *s = pg_sync_open(live_dsn(), "test", 10, &e);

    (void)state;
    assert_non_null(s);
    assert_int_equal(pg_sync_run(s, "select pg_terminate_backend(pg_backend_pid())", &e), -1);
    assert_int_equal(e.class, ERR_TEMP);
    assert_null(pg_sync_exec(s, "select 1", NULL, 0, &e));
    assert_int_equal(e.class, ERR_TEMP);
    pg_sync_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_open_says_whether_trying_later_helps),
        cmocka_unit_test(rows_columns_and_nulls_are_read),
        cmocka_unit_test(a_failed_statement_can_be_rolled_back),
        cmocka_unit_test(a_lost_connection_is_temporary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

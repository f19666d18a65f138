/* The evented connection on a real server: values, refusals, losses and coming back. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/err.h"
#include "common/loop.h"
#include "common/pg/pg.h"
#include "common/pg/pg_array.h"
#include "common/pg/pg_sync.h"
#include "tests/check.h"
#include "tests/integration/pg_live.h"

#define APPLICATION "pg_conn_test"
#define TIME_US INT64_C(1795334400123456)
#define DAY_US INT64_C(1795305600000000) /* the day of TIME_US */

struct fixture {
    struct loop *loop;
    struct pg *pg;
    int ups, downs, answers;
    struct err down;
    struct err error; /* of the last answer; ERR_NONE: it was a result */
    char text[64];    /* the first column of the last result */
    int64_t number;   /* the second */
};

static void on_up(void *arg)
{
    struct fixture *f = arg;
    f->ups++;
    loop_stop(f->loop);
}

static void on_down(void *arg, const struct err *e)
{
    struct fixture *f = arg;
    f->downs++;
    f->down = *e;
    loop_stop(f->loop);
}

static void on_answer(void *arg, const struct pg_result *r, const struct err *e)
{
    struct fixture *f = arg;

    f->answers++;
    f->error = e ? *e : (struct err){.class = ERR_NONE};
    if (r) {
        assert_int_equal(pg_rows(r), 1);
        snprintf(f->text, sizeof f->text, "%s", pg_text(r, 0, 0) ? pg_text(r, 0, 0) : "null");
        f->number = pg_i64(r, 0, 1);
    }
    loop_stop(f->loop);
}

static bool is_up(const void *arg)
{
    const struct fixture *f = arg;
    return pg_is_ready(f->pg);
}

static bool is_down(const void *arg)
{
    const struct fixture *f = arg;
    return f->downs > 0;
}

static bool is_down_thrice(const void *arg)
{
    const struct fixture *f = arg;
    return f->downs >= 3;
}

static bool is_answered(const void *arg)
{
    const struct fixture *f = arg;
    return f->answers > 0;
}

static void open_pg(struct fixture *f, const char *dsn, int64_t statement_timeout_us)
{
    static const char *const setup[] = {"SET timezone = 'Asia/Shanghai'", "SET jit = off", NULL};
    struct pg_options o = {
        .dsn = dsn,
        .application_name = APPLICATION,
        .setup = setup,
        .connect_timeout_s = 1,
        .statement_timeout_us = statement_timeout_us,
    };
    struct pg_handlers h = {.up = on_up, .down = on_down, .arg = f};
    struct err e;

    memset(f, 0, sizeof *f);
    f->loop = loop_new(&e);
    assert_non_null(f->loop);
    f->pg = pg_new(f->loop, &o, &h, &e);
    assert_non_null(f->pg);
}

static void close_pg(struct fixture *f)
{
    pg_free(f->pg);
    loop_free(f->loop);
}

static void open_and_wait(struct fixture *f, int64_t statement_timeout_us)
{
    open_pg(f, live_dsn(), statement_timeout_us);
    live_run(f->loop, is_up, f);
}

static void ask(struct fixture *f, const char *sql, const struct pg_param *params, int n)
{
    f->answers = 0;
    pg_query(f->pg, sql, params, n, on_answer, f);
    assert_int_equal(f->answers, 0); /* never before it returns */
    assert_false(pg_is_ready(f->pg));
    live_run(f->loop, is_answered, f);
    assert_int_equal(f->answers, 1);
}

static void on_types(void *arg, const struct pg_result *r, const struct err *e)
{
    struct fixture *f = arg;
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
    struct fixture f;
    struct pg_array a[7];
    struct pg_param params[7];

    (void)state;
    open_and_wait(&f, 0);
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
    live_run(f.loop, is_answered, &f);
    for (int i = 0; i < 7; i++)
        pg_array_free(&a[i]);
    close_pg(&f);
}

static void a_statement_is_prepared_once_and_the_setup_holds(void **state)
{
    static const char sql[] = "select current_setting('timezone'), count(*) from "
                              "pg_prepared_statements";
    struct fixture f;

    (void)state;
    open_and_wait(&f, 0);
    for (int i = 0; i < 3; i++) {
        ask(&f, sql, NULL, 0);
        assert_string_equal(f.text, "Asia/Shanghai");
        assert_int_equal(f.number, 1);
    }
    close_pg(&f);
}

static void megabytes_go_through_without_blocking(void **state)
{
    enum { SIZE = 32 << 20 };
    struct fixture f;
    char *big = malloc(SIZE);
    struct pg_param param;

    (void)state;
    memset(big, 'x', SIZE);
    param = pg_param_bytes(big, SIZE);
    open_and_wait(&f, 0);
    ask(&f, "select 'length', length($1::text)", &param, 1);
    assert_int_equal(f.error.class, ERR_NONE);
    assert_int_equal(f.number, SIZE);
    close_pg(&f);
    free(big);
}

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
        {"select set_config('statement_timeout', $1, false), 1", "50",     "",      ERR_NONE},
        {"select pg_sleep(30)::text || $1::text, 1",             "a",      "57014", ERR_TEMP},
    };
    struct fixture f;

    (void)state;
    open_and_wait(&f, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pg_param param = pg_param_text(cases[i].param);
        ask(&f, cases[i].sql, &param, 1);
        assert_int_equal(f.error.class, cases[i].class);
        assert_string_equal(pg_last_sqlstate(f.pg), cases[i].sqlstate);
        assert_null(strstr(f.error.text, "sesame"));
        assert_null(strchr(f.error.text, '\n'));
    }
    assert_int_equal(f.downs, 0);
    close_pg(&f);
}

static void terminate_backend(void)
{
    struct err e;
    struct pg_sync *s = pg_sync_open(live_dsn(), "test", 10, &e);
    struct pg_sync_rows *rows = NULL;

    assert_non_null(s);
    while (!rows || pg_sync_count(rows) == 0) { /* until it sleeps */
        pg_sync_rows_free(rows);
        rows = pg_sync_exec(s,
                            "select pg_terminate_backend(pid) from pg_stat_activity where "
                            "application_name = '" APPLICATION "' and query like '%pg_sleep%' "
                            "and state = 'active'",
                            NULL, 0, &e);
        assert_non_null(rows);
    }
    pg_sync_rows_free(rows);
    pg_sync_close(s);
}

/* The new connection often has the old one's fd number; a kept registration would hang here. */
static void a_lost_connection_is_told_once_and_comes_back(void **state)
{
    struct fixture f;

    (void)state;
    open_and_wait(&f, 0);
    for (int i = 1; i <= 3; i++) {
        f.answers = 0;
        pg_query(f.pg, "select pg_sleep(60)::text, 0", NULL, 0, on_answer, &f);
        loop_defer(f.loop, on_up, &f); /* one turn: the statement goes out */
        loop_run(f.loop);
        terminate_backend();
        live_run(f.loop, is_answered, &f);
        assert_int_equal(f.error.class, ERR_TEMP);
        live_run(f.loop, is_up, &f);
        assert_int_equal(f.answers, 1);
        assert_int_equal(f.downs, i);
        ask(&f, "select 'back', 1", NULL, 0);
        assert_string_equal(f.text, "back");
    }
    close_pg(&f);
}

static void a_statement_that_hangs_costs_the_connection(void **state)
{
    struct fixture f;

    (void)state;
    open_and_wait(&f, 200 * US_PER_MS);
    ask(&f, "select pg_sleep(60)::text, 0", NULL, 0);
    assert_int_equal(f.error.class, ERR_TEMP);
    assert_non_null(strstr(f.error.text, "no answer within"));
    live_run(f.loop, is_up, &f);
    ask(&f, "select 'back', 1", NULL, 0);
    assert_int_equal(f.error.class, ERR_NONE);
    close_pg(&f);
}

static void a_server_that_is_away_is_told_at_each_try(void **state)
{
    struct fixture f;

    (void)state;
    open_pg(&f, "host=127.0.0.1 port=1 user=nobody dbname=x", 0);
    live_run(f.loop, is_down_thrice, &f);
    assert_int_equal(f.down.class, ERR_TEMP);
    assert_int_equal(f.ups, 0);
    assert_false(pg_is_up(f.pg));
    close_pg(&f);
}

static void a_server_that_never_answers_is_given_up_in_time(void **state)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct fixture f;
    char dsn[128];

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    snprintf(dsn, sizeof dsn, "host=127.0.0.1 port=%d user=x dbname=x", ntohs(a.sin_port));
    open_pg(&f, dsn, 0);
    live_run(f.loop, is_down, &f);
    assert_non_null(strstr(f.down.text, "no connection within 1 s"));
    close_pg(&f);
    close(fd);
}

static void of_several_hosts_the_one_that_is_there_is_used(void **state)
{
    struct fixture f;
    char dsn[512];
    const char *host = strstr(live_dsn(), "host=");
    int len;

    (void)state;
    assert_non_null(host);
    len = (int)strcspn(host + 5, " ");
    snprintf(dsn, sizeof dsn, "%s host=127.0.0.1,%.*s port=1,5432", live_dsn(), len, host + 5);
    open_pg(&f, dsn, 0);
    live_run(f.loop, is_up, &f);
    ask(&f, "select 'there', 1", NULL, 0);
    assert_string_equal(f.text, "there");
    assert_int_equal(f.downs, 0);
    close_pg(&f);
}

static void a_read_only_server_counts_as_down(void **state)
{
    struct fixture f;
    char dsn[512];

    (void)state;
    snprintf(dsn, sizeof dsn, "%s options='-c default_transaction_read_only=on'", live_dsn());
    open_pg(&f, dsn, 0);
    live_run(f.loop, is_down, &f);
    assert_int_equal(f.ups, 0);
    assert_non_null(strstr(f.down.text, "read-only"));
    close_pg(&f);

    /* It becomes so under an open connection: the statement is in doubt, the connection is left. */
    open_and_wait(&f, 0);
    ask(&f, "select set_config('default_transaction_read_only', 'on', false), 1", NULL, 0);
    ask(&f, "create table nowhere()", NULL, 0);
    assert_int_equal(f.error.class, ERR_TEMP);
    assert_int_equal(f.downs, 1);
    live_run(f.loop, is_up, &f);
    close_pg(&f);
}

static void a_malformed_dsn_is_refused_at_once(void **state)
{
    struct err e;
    struct loop *l = loop_new(&e);
    struct pg_options o = {.dsn = "host=x no_such_key=1", .application_name = "x"};
    struct pg_handlers h = {.up = on_up, .down = on_down};

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
        cmocka_unit_test(a_lost_connection_is_told_once_and_comes_back),
        cmocka_unit_test(a_statement_that_hangs_costs_the_connection),
        cmocka_unit_test(a_server_that_is_away_is_told_at_each_try),
        cmocka_unit_test(a_server_that_never_answers_is_given_up_in_time),
        cmocka_unit_test(of_several_hosts_the_one_that_is_there_is_used),
        cmocka_unit_test(a_read_only_server_counts_as_down),
        cmocka_unit_test(a_malformed_dsn_is_refused_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

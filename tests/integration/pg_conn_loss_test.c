/* The evented connection when the server is lost, silent, read-only or elsewhere. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/loop.h"
#include "common/pg/pg_sync.h"
#include "tests/check.h"
#include "tests/integration/pg_conn_live.h"
#include "tests/integration/pg_live.h"

static bool is_down_thrice(const void *arg)
{
    const struct conn_live *f = arg;
    return f->downs >= 3;
}

/* Other tests, on the same server, sleep otherwise. */
#define SLEEP "select pg_sleep(60)::text"

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
                            "application_name = '" CONN_LIVE_APPLICATION "' and query like '" SLEEP
                            "%' "
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
    struct conn_live f;

    (void)state;
    conn_live_open_and_wait(&f, 0);
    for (int i = 1; i <= 3; i++) {
        f.answers = 0;
        pg_query(f.pg, SLEEP ", 0", NULL, 0, conn_live_answer, &f);
        loop_defer(f.loop, conn_live_up, &f); /* one turn: the statement goes out */
        loop_run(f.loop);
        terminate_backend();
        live_run(f.loop, conn_live_is_answered, &f);
        assert_int_equal(f.error.class, ERR_TEMP);
        live_run(f.loop, conn_live_is_up, &f);
        assert_int_equal(f.answers, 1);
        assert_int_equal(f.downs, i);
        conn_live_ask(&f, "select 'back', 1", NULL, 0);
        assert_string_equal(f.text, "back");
    }
    conn_live_close(&f);
}

static void a_statement_that_hangs_costs_the_connection(void **state)
{
    struct conn_live f;

    (void)state;
    conn_live_open_and_wait(&f, 200 * US_PER_MS);
    conn_live_ask(&f, SLEEP ", 0", NULL, 0);
    assert_int_equal(f.error.class, ERR_TEMP);
    assert_non_null(strstr(f.error.text, "no answer within"));
    live_run(f.loop, conn_live_is_up, &f);
    conn_live_ask(&f, "select 'back', 1", NULL, 0);
    assert_int_equal(f.error.class, ERR_NONE);
    conn_live_close(&f);
}

static void a_server_that_is_away_is_told_at_each_try(void **state)
{
    struct conn_live f;

    (void)state;
    conn_live_open(&f, "host=127.0.0.1 port=1 user=nobody dbname=x", 0);
    live_run(f.loop, is_down_thrice, &f);
    assert_int_equal(f.down.class, ERR_TEMP);
    assert_int_equal(f.ups, 0);
    assert_false(pg_is_up(f.pg));
    conn_live_close(&f);
}

static void a_server_that_never_answers_is_given_up_in_time(void **state)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct conn_live f;
    char dsn[128];

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    snprintf(dsn, sizeof dsn, "host=127.0.0.1 port=%d user=x dbname=x", ntohs(a.sin_port));
    conn_live_open(&f, dsn, 0);
    live_run(f.loop, conn_live_is_down, &f);
    assert_non_null(strstr(f.down.text, "no connection within 1 s"));
    conn_live_close(&f);
    close(fd);
}

static void of_several_hosts_the_one_that_is_there_is_used(void **state)
{
    struct conn_live f;
    char dsn[512];
    const char *host = strstr(live_dsn(), "host=");
    int len;

    (void)state;
    assert_non_null(host);
    len = (int)strcspn(host + 5, " ");
    snprintf(dsn, sizeof dsn, "%s host=127.0.0.1,%.*s port=1,5432", live_dsn(), len, host + 5);
    conn_live_open(&f, dsn, 0);
    live_run(f.loop, conn_live_is_up, &f);
    conn_live_ask(&f, "select 'there', 1", NULL, 0);
    assert_string_equal(f.text, "there");
    assert_int_equal(f.downs, 0);
    conn_live_close(&f);
}

static void a_read_only_server_counts_as_down(void **state)
{
    struct conn_live f;
    char dsn[512];

    (void)state;
    snprintf(dsn, sizeof dsn, "%s options='-c default_transaction_read_only=on'", live_dsn());
    conn_live_open(&f, dsn, 0);
    live_run(f.loop, conn_live_is_down, &f);
    assert_int_equal(f.ups, 0);
    assert_non_null(strstr(f.down.text, "read-only"));
    conn_live_close(&f);

    /* It becomes so under an open connection: the statement is in doubt, the connection is left. */
    conn_live_open_and_wait(&f, 0);
    conn_live_ask(&f, "select set_config('default_transaction_read_only', 'on', false), 1", NULL,
                  0);
    conn_live_ask(&f, "create table nowhere()", NULL, 0);
    assert_int_equal(f.error.class, ERR_TEMP);
    assert_int_equal(f.downs, 1);
    live_run(f.loop, conn_live_is_up, &f);
    conn_live_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_connection_is_told_once_and_comes_back),
        cmocka_unit_test(a_statement_that_hangs_costs_the_connection),
        cmocka_unit_test(a_server_that_is_away_is_told_at_each_try),
        cmocka_unit_test(a_server_that_never_answers_is_given_up_in_time),
        cmocka_unit_test(of_several_hosts_the_one_that_is_there_is_used),
        cmocka_unit_test(a_read_only_server_counts_as_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

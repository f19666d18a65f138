/*
 * The claims adapter while the database is there and does not serve: the claim is kept, its health
 * says why, it is answered once when all is well, and only then is it well.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check.h"
#include "tests/integration/pg_claims_live.h"

static bool is_ill_thrice(const void *arg)
{
    const struct claims_live *f = arg;
    return f->ills >= 3;
}

static void ask(struct claims_live *f)
{
    char ids[][JOB_ID_MAX] = {"send-1"};
    claims_live_ask(f, ids, 1);
}

static void check_answered_and_well(struct claims_live *f)
{
    live_run(f->loop, claims_live_is_idle, f);
    assert_int_equal(f->answered[0], 1);
    assert_int_equal(f->wells, 2); /* at first, and now: not between two failures */
    assert_string_equal(f->why, "");
}

static void hold_brake(struct claims_live *f)
{
    live_sql(&f->db, "begin", NULL, 0);
    live_sql(&f->db, "lock table sendcode.brake in access exclusive mode", NULL, 0);
}

/* The backend that waits at the brake. */
static pid_t find_backend(struct claims_live *f)
{
    char text[32];

    live_turn(f->loop);
    do {
        live_sql(&f->db, "select pg_stat_clear_snapshot()", NULL, 0);
        live_sql(&f->db,
                 "select pid from pg_stat_activity where datname = current_database() and "
                 "application_name = 'sendcode-worker worker-1' and wait_event_type = 'Lock'",
                 text, sizeof text);
    } while (!text[0]);
    return (pid_t)atoi(text);
}

static void a_full_disk_is_waited_out(void **state)
{
    struct claims_live f;

    (void)state;
    claims_live_start(&f, claims_live_count);
    live_sql(&f.db, "insert into sendcode.trouble values ('53100')", NULL, 0);
    ask(&f);
    live_run(f.loop, is_ill_thrice, &f);
    assert_int_equal(f.n_answers, 0);
    assert_non_null(strstr(f.why, "No space left on device (SQLSTATE 53100)"));
    live_sql(&f.db, "delete from sendcode.trouble", NULL, 0);
    check_answered_and_well(&f);
    claims_live_stop(&f);
}

/* A statement in which ? stands for the test's role. */
static void role_sql(struct claims_live *f, const char *format)
{
    char role[80];
    char sql[256];

    snprintf(role, sizeof role, "test_%s", f->db.name);
    snprintf(sql, sizeof sql, "%.*s%s%s", (int)strcspn(format, "?"), format, role,
             strchr(format, '?') + 1);
    live_sql(&f->db, sql, NULL, 0);
}

/* A role's limit is refused as the server's own max_connections is: SQLSTATE 53300. */
static void no_free_connection_is_waited_out(void **state)
{
    struct claims_live f;
    char sql[64];
    char dsn[600];

    (void)state;
    memset(&f, 0, sizeof f);
    live_make_database(&f.db, "pg_outage");
    live_sql_file(&f.db, STUB);
    role_sql(&f, "create role ? login");
    role_sql(&f, "grant all on schema sendcode to ?");
    role_sql(&f, "grant all on all tables in schema sendcode to ?");
    role_sql(&f, "grant all on all sequences in schema sendcode to ?");
    snprintf(dsn, sizeof dsn, "%s user=test_%s", f.db.dsn, f.db.name);
    claims_live_start_adapter(&f, dsn, claims_live_count);
    live_run(f.loop, claims_live_is_idle, &f);

    role_sql(&f, "alter role ? connection limit 0");
    hold_brake(&f);
    ask(&f);
    snprintf(sql, sizeof sql, "select pg_terminate_backend(%d)", (int)find_backend(&f));
    live_sql(&f.db, sql, NULL, 0);
    live_sql(&f.db, "commit", NULL, 0);
    live_run(f.loop, is_ill_thrice, &f);
    assert_int_equal(f.n_answers, 0);
    assert_non_null(strstr(f.why, "too many connections"));
    role_sql(&f, "alter role ? connection limit -1");
    check_answered_and_well(&f);

    claims_live_stop_adapter(&f);
    role_sql(&f, "drop owned by ?");
    role_sql(&f, "drop role ?");
    live_drop_database(&f.db);
}

/* The server gives a lock up after 5 s; the rest of the connection's time is not waited for. */
static void a_lock_held_by_somebody_is_named_and_waited_out(void **state)
{
    struct claims_live f;

    (void)state;
    claims_live_start(&f, claims_live_count);
    hold_brake(&f);
    ask(&f);
    live_run(f.loop, claims_live_is_ill, &f);
    assert_int_equal(f.n_answers, 0);
    assert_non_null(strstr(f.why, "lock timeout"));
    live_sql(&f.db, "commit", NULL, 0);
    check_answered_and_well(&f);
    claims_live_stop(&f);
}

static void a_stopped_server_is_told_and_waited_out(void **state)
{
    struct claims_live f;
    pid_t backend;

    (void)state;
    claims_live_start(&f, claims_live_count);
    hold_brake(&f);
    ask(&f);
    backend = find_backend(&f); /* it sleeps on the lock, so that it holds up nobody else */
    assert_int_equal(kill(backend, SIGSTOP), 0);
    live_sql(&f.db, "commit", NULL, 0);
    live_run(f.loop, claims_live_is_ill, &f);
    assert_int_equal(f.n_answers, 0);
    assert_non_null(strstr(f.why, "without an answer"));
    assert_int_equal(kill(backend, SIGCONT), 0);
    check_answered_and_well(&f);
    claims_live_stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_is_waited_out),
        cmocka_unit_test(no_free_connection_is_waited_out),
        cmocka_unit_test(a_lock_held_by_somebody_is_named_and_waited_out),
        cmocka_unit_test(a_stopped_server_is_told_and_waited_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

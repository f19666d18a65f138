/* The claims adapter when the database is hurt, or is not as it should be. */
#include <stdio.h>
#include <string.h>

#include "tests/check.h"
#include "tests/integration/pg_claims_live.h"

/* Holds the brake, so that the claim is under way, and does `function` to its backend. */
static void hurt_while_under_way(struct claims_live *f, const char *function)
{
    char ids[][JOB_ID_MAX] = {"send-1", "busy-2"};

    live_sql(&f->db, "begin", NULL, 0);
    live_sql(&f->db, "lock table sendcode.brake in access exclusive mode", NULL, 0);
    claims_live_ask(f, ids, ARRAY_LEN(ids));
    live_turn(f->loop);
    live_hurt_waiting(&f->db, function);
    live_run(f->loop, claims_live_is_ill, f);
    assert_int_equal(f->n_answers, 0);
    live_sql(&f->db, "commit", NULL, 0);
    live_run(f->loop, claims_live_is_idle, f);
}

static void a_lost_answer_is_asked_for_again_with_the_same_id(void **state)
{
    static const char *const functions[] = {"pg_terminate_backend", "pg_cancel_backend"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        struct claims_live f;
        char text[64];

        claims_live_start(&f, claims_live_count);
        hurt_while_under_way(&f, functions[i]);
        assert_int_equal(f.answered[0], 1);
        assert_int_equal(f.answered[1], 1);
        assert_int_equal(f.verdicts[1], CLAIM_BUSY);
        assert_true(f.ills >= 1);
        assert_int_equal(f.wells, 2);
        live_sql(&f.db,
                 "select a.last_value = b.last_value and a.last_value > 1 from "
                 "sendcode.claim_id_1 a, sendcode.claim_id_2 b",
                 text, sizeof text);
        assert_string_equal(text, "t");
        claims_live_stop(&f);
    }
}

static void a_schema_that_is_not_there_or_old_is_told_with_the_remedy(void **state)
{
    struct claims_live f = {.idle = false};

    (void)state;
    live_make_database(&f.db, "pg_claims");
    claims_live_start_adapter(&f, f.db.dsn, claims_live_count);
    live_run(f.loop, claims_live_is_faulty, &f);
    assert_non_null(strstr(f.why, "sendcodectl migrate"));
    assert_int_equal(f.wells, 0);
    assert_false(f.idle);

    f.faults = 0;
    live_sql_file(&f.db, STUB);
    live_sql(&f.db,
             "create or replace function sendcode.schema_version() returns int language sql as "
             "'select 0'",
             NULL, 0);
    do {
        f.faults = 0;
        live_run(f.loop, claims_live_is_faulty, &f);
    } while (!strstr(f.why, "is version 0"));
    assert_non_null(strstr(f.why, "sendcodectl migrate"));

    live_sql(&f.db,
             "create or replace function sendcode.schema_version() returns int language sql as "
             "'select 1000'",
             NULL, 0);
    live_run(f.loop, claims_live_is_idle, &f); /* and goes on by itself */
    assert_int_equal(f.wells, 1);
    claims_live_stop(&f);
}

static void a_role_without_rights_is_told_with_the_remedy(void **state)
{
    struct claims_live f = {.idle = false};
    char dsn[600];
    char sql[128];

    (void)state;
    live_make_database(&f.db, "pg_claims");
    live_sql_file(&f.db, STUB);
    snprintf(sql, sizeof sql, "create role test_%s", f.db.name);
    live_sql(&f.db, sql, NULL, 0);
    snprintf(dsn, sizeof dsn, "%s options='-c role=test_%s'", f.db.dsn, f.db.name);
    claims_live_start_adapter(&f, dsn, claims_live_count);
    live_run(f.loop, claims_live_is_faulty, &f);
    assert_non_null(strstr(f.why, "GRANT sendcode_worker"));
    claims_live_stop_adapter(&f);
    snprintf(sql, sizeof sql, "drop role test_%s", f.db.name);
    live_sql(&f.db, sql, NULL, 0);
    live_drop_database(&f.db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_answer_is_asked_for_again_with_the_same_id),
        cmocka_unit_test(a_schema_that_is_not_there_or_old_is_told_with_the_remedy),
        cmocka_unit_test(a_role_without_rights_is_told_with_the_remedy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

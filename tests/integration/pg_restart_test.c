/* A server that crashes under a claim and comes back (pg_restart_test.sh starts a private one). */
#include <stdlib.h>

#include "tests/check.h"
#include "tests/integration/pg_claims_live.h"

static void run(const char *variable)
{
    const char *command = getenv(variable);

    if (!command)
        fail_msg("%s is not set: run pg_restart_test.sh", variable);
    assert_int_equal(system(command), 0);
}

static void a_claim_survives_a_crash_of_the_server(void **state)
{
    struct claims_live f;
    char ids[][JOB_ID_MAX] = {"send-1", "busy-2"};

    (void)state;
    claims_live_start(&f, claims_live_count);
    live_sql(&f.db, "begin", NULL, 0);
    live_sql(&f.db, "lock table sendcode.brake in access exclusive mode", NULL, 0);
    claims_live_ask(&f, ids, ARRAY_LEN(ids));
    live_turn(f.loop);
    run("SENDCODE_TEST_STOP");
    live_run(f.loop, claims_live_is_ill, &f);
    assert_int_equal(f.n_answers, 0);
    run("SENDCODE_TEST_START");
    live_run(f.loop, claims_live_is_idle, &f);
    assert_int_equal(f.answered[0], 1);
    assert_int_equal(f.answered[1], 1);
    assert_int_equal(f.wells, 2);
    claims_live_stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_claim_survives_a_crash_of_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

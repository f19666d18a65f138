/*
 * The adapters on the real schema: each function is there, takes what the adapters send, and
 * answers what they understand.
 */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/loop.h"
#include "tests/check.h"
#include "tests/integration/pg_schema_live.h"

static struct schema_live f;

static int start(void **state)
{
    (void)state;
    schema_live_start(&f);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    schema_live_stop(&f);
    return 0;
}

static void epochs_are_taken(void **state)
{
    const struct epoch_ask asks[] = {
        {0, false},
        {1, true }
    };

    (void)state;
    f.claims.port.take_epochs(f.claims.port.self, asks, ARRAY_LEN(asks));
    f.claims.idle = false;
    live_run(f.claims.loop, claims_live_is_idle, &f.claims);
    assert_int_equal(f.claims.n_epochs, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(f.claims.epochs[i].partition, i);
        assert_int_equal(f.claims.epochs[i].epoch, 1);
        assert_int_equal(f.claims.epochs[i].incarnation, 1);
        assert_int_equal(f.claims.epochs[i].next_offset, 0);
    }
}

static void a_batch_is_claimed(void **state)
{
    static const struct {
        const char *phone;
        int32_t partition;
        int64_t epoch_behind, ahead_s;
        enum job_reason refusal;
        const char *client_ip;
        enum claim_verdict verdict;
    } cases[] = {
        {"+8613800138000", 0, 0, 0,    REASON_NONE,    "2001:db8::1", CLAIM_SEND       },
        {"+8613800138000", 0, 0, -1,   REASON_NONE,    NULL,          CLAIM_BUSY       }, /* one a phone and call */
        {"+8613800138001", 1, 1, 0,    REASON_NONE,    NULL,          CLAIM_FENCED     },
        {"+8613800138002", 0, 0, 3600, REASON_NONE,    NULL,          CLAIM_FUTURE     },
        {"+8613800138003", 0, 0, 0,    REASON_NONE,    "no address",  CLAIM_ROW_REFUSED},
        {"+85290000000",   1, 0, 0,    REASON_COUNTRY, NULL,          CLAIM_DECIDED    },
    };
    struct claim_ask asks[ARRAY_LEN(cases)];
    struct job jobs[ARRAY_LEN(cases)];
    char ids[ARRAY_LEN(cases)][16];

    (void)state;
    memset(asks, 0, sizeof asks);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t requested_at_us = clock_wall_us() + cases[i].ahead_s * US_PER_S;
        snprintf(ids[i], sizeof ids[i], "job-%zu", i);
        jobs[i] = (struct job){.job_id = ids[i],
                               .phone = cases[i].phone,
                               .scene_name = "login",
                               .scene = &claims_live_scene,
                               .client_ip = cases[i].client_ip,
                               .requested_at_us = requested_at_us,
                               .deadline_us = requested_at_us + 60 * US_PER_S};
        asks[i] = (struct claim_ask){.ticket = i,
                                     .job = &jobs[i],
                                     .partition = cases[i].partition,
                                     .incarnation = 1,
                                     .offset = (int64_t)i,
                                     .epoch = 1 - cases[i].epoch_behind,
                                     .refusal = cases[i].refusal};
        memset(asks[i].proof, 'p', sizeof asks[i].proof);
        memcpy(asks[i].key_id, "key1", 4);
    }
    schema_live_claim(&f, asks, ARRAY_LEN(asks));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(f.claims.verdicts[i], cases[i].verdict);
    assert_memory_equal(f.send.key_id, "key1", 4);
    assert_memory_equal(f.send.proof, "pppppppppppppppppppppppppppppppp", 32);
    assert_int_equal(f.send.code_length, 6);
    assert_int_equal(f.send.life_us, 300 * US_PER_S);
    assert_true(f.send.deadline_in_us > 30 * US_PER_S && f.send.deadline_in_us <= 60 * US_PER_S);
}

static void an_outcome_is_recorded_and_may_be_repeated(void **state)
{
    (void)state;
    for (int i = 1; i <= 2; i++) {
        schema_live_record(&f, 0, 1, 1, ATTEMPT_ACCEPTED, JOB_SENT);
        assert_int_equal(f.outcomes.answered[0], i);
        assert_true(f.outcomes.answer.applied);
        assert_false(f.outcomes.answer.duplicate_send);
        assert_int_equal(f.outcomes.answer.status.state, JOB_SENT);
        assert_int_equal(f.outcomes.answer.status.seq, 2);
    }
}

static void notes_sweep_and_outbox_are_answered(void **state)
{
    const struct note notes[] = {
        {.ticket = 1, .partition = 0, .incarnation = 1, .offset = 50, .reason = "json"},
        {.ticket = 2, .partition = 1, .incarnation = 1, .offset = 60, .gap_end = 70   },
    };
    const int64_t ids[] = {1};
    const struct outcomes *port = &f.outcomes.port;

    (void)state;
    port->note(port->self, notes, ARRAY_LEN(notes));
    outcomes_live_finish(&f.outcomes);
    assert_int_equal(f.outcomes.answered[1] + f.outcomes.answered[2], 2);
    f.outcomes.in_doubt = 99;
    port->sweep(port->self);
    outcomes_live_finish(&f.outcomes);
    assert_int_equal(f.outcomes.sweeps, 1);
    assert_int_equal(f.outcomes.in_doubt, 0);
    port->take_outbox(port->self);
    outcomes_live_finish(&f.outcomes);
    assert_int_equal(f.outboxes, 1);
    assert_int_equal(f.n_outbox, 0);
    port->outbox_done(port->self, ids, 1);
    outcomes_live_finish(&f.outcomes);
}

/* Their rows are edited by hand into what cannot be; the others go on. */
static void odd_rows_hold_their_own_jobs_only(void **state)
{
    static const int numbers[] = {10, 11, 12, 13};
    static const int again[] = {10, 11, 13, 14};
    static const int whim[] = {12};
    struct live_database *db = &f.claims.db;
    int64_t epoch = schema_live_take_epoch(&f);

    (void)state;
    schema_live_claim_jobs(&f, epoch, numbers, ARRAY_LEN(numbers));
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        assert_int_equal(f.claims.verdicts[numbers[i]], CLAIM_SEND);
    live_sql(db,
             "update sendcode.delivery set takeover_at = null, not_after = null "
             "where job_id in ('job-10', 'job-11')",
             NULL, 0);
    live_sql(db,
             "update sendcode.delivery set state = 'limited', reason = 'whim' "
             "where job_id = 'job-12'",
             NULL, 0);

    /* It cannot be parked; nothing of it is recorded, and its neighbour is. */
    schema_live_record(&f, 10, 1, epoch, ATTEMPT_IN_DOUBT, JOB_IN_DOUBT);
    assert_true(f.outcomes.odd[10]);
    assert_false(f.outcomes.refused[10]);
    schema_live_record(&f, 13, 1, epoch, ATTEMPT_ACCEPTED, JOB_SENT);
    assert_false(f.outcomes.odd[13]);

    epoch = schema_live_take_epoch(&f);
    schema_live_claim_jobs(&f, epoch, again, ARRAY_LEN(again));
    assert_int_equal(f.claims.verdicts[10], CLAIM_ROW_ODD);
    assert_int_equal(f.claims.verdicts[11], CLAIM_ROW_ODD);
    assert_int_equal(f.claims.verdicts[13], CLAIM_KNOWN);
    assert_int_equal(f.claims.verdicts[14], CLAIM_SEND);
    assert_non_null(strstr(f.claims.odd_why, "not_after"));
    schema_live_claim_jobs(&f, epoch, whim, 1);
    assert_int_equal(f.claims.verdicts[12], CLAIM_ROW_ODD);
    assert_non_null(strstr(f.claims.odd_why, "its reason in the database"));
}

int main(void)
{
    /* In this order: each goes on where the one before it stopped. */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(epochs_are_taken),
        cmocka_unit_test(a_batch_is_claimed),
        cmocka_unit_test(an_outcome_is_recorded_and_may_be_repeated),
        cmocka_unit_test(notes_sweep_and_outbox_are_answered),
        cmocka_unit_test(odd_rows_hold_their_own_jobs_only),
    };
    return cmocka_run_group_tests(tests, start, stop);
}

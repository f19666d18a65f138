/*
 * The adapters on the real schema, with the rights of sendcode_worker only: each function is there,
 * takes what the adapters send, and answers what they understand.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/loop.h"
#include "tests/check.h"
#include "tests/integration/pg_claims_live.h"
#include "worker/pg/pg_outcomes.h"

struct outcomes_live {
    struct pg_outcomes *adapter;
    struct outcomes port;
    bool idle;
    int recorded, noted, swept, outboxes;
    struct outcome_answer answer; /* the last one's numbers */
    char why[512];
};

struct fixture {
    struct claims_live claims;
    struct outcomes_live outcomes;
    struct claim_answer send; /* the answer to the job that may be sent */
};

static struct fixture f;

static void on_claimed(void *arg, const struct claim_answer *answers, size_t n)
{
    claims_live_count(arg, answers, n);
    for (size_t i = 0; i < n; i++) {
        if (answers[i].verdict == CLAIM_SEND)
            f.send = answers[i];
    }
}

static void on_recorded(void *arg, const struct outcome_answer *answers, size_t n)
{
    (void)arg;
    assert_int_equal(n, 1);
    f.outcomes.recorded++;
    f.outcomes.answer = answers[0];
}

static void on_noted(void *arg, const uint64_t *tickets, size_t n)
{
    (void)arg;
    (void)tickets;
    f.outcomes.noted += (int)n;
}

static void on_outbox(void *arg, const struct outbox_row *rows, size_t n)
{
    (void)arg;
    (void)rows;
    assert_int_equal(n, 0);
    f.outcomes.outboxes++;
}

static void on_swept(void *arg)
{
    (void)arg;
    f.outcomes.swept++;
}

static void on_idle(void *arg)
{
    (void)arg;
    f.outcomes.idle = true;
    loop_stop(f.claims.loop);
}

static void on_health(void *arg, const char *why)
{
    (void)arg;
    if (why)
        fail_msg("%s", why);
}

static void on_in_doubt(void *arg, int64_t jobs)
{
    (void)arg;
    assert_int_equal(jobs, 0);
}

static bool outcomes_are_idle(const void *arg)
{
    (void)arg;
    return f.outcomes.idle;
}

/* Waits for the end of the request just made. */
static void finish_outcomes(void)
{
    f.outcomes.idle = false;
    live_run(f.claims.loop, outcomes_are_idle, NULL);
}

static void start_outcomes(void)
{
    struct outcomes_handlers h = {.recorded = on_recorded,
                                  .noted = on_noted,
                                  .outbox = on_outbox,
                                  .swept = on_swept,
                                  .idle = on_idle,
                                  .health = on_health,
                                  .in_doubt = on_in_doubt};
    struct err e;

    f.outcomes.adapter = pg_outcomes_new(f.claims.loop, &f.claims.settings, &h, &e);
    assert_non_null(f.outcomes.adapter);
    f.outcomes.port = pg_outcomes_port(f.outcomes.adapter);
    live_run(f.claims.loop, outcomes_are_idle, NULL);
}

/* The schema as the operator makes it, and a log-in that is a worker's and nothing more. */
static int start(void **state)
{
    char command[1024];
    char dsn[600];

    (void)state;
    live_make_database(&f.claims.db, "pg_schema");
    snprintf(command, sizeof command, "\"${SENDCODE_BUILD_DIR:-.}\"/sendcodectl migrate --dsn '%s'",
             f.claims.db.dsn);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "create role test_%s login in role sendcode_worker",
             f.claims.db.name);
    live_sql(&f.claims.db, command, NULL, 0);
    snprintf(dsn, sizeof dsn, "%s user=test_%s", f.claims.db.dsn, f.claims.db.name);
    claims_live_start_adapter(&f.claims, dsn, on_claimed);
    f.claims.settings.postgres.dsn = dsn;
    live_run(f.claims.loop, claims_live_is_idle, &f.claims);
    start_outcomes();
    return 0;
}

static int stop(void **state)
{
    char sql[128];

    (void)state;
    pg_outcomes_free(f.outcomes.adapter);
    claims_live_stop_adapter(&f.claims);
    snprintf(sql, sizeof sql, "drop role test_%s", f.claims.db.name);
    live_sql(&f.claims.db, sql, NULL, 0);
    live_drop_database(&f.claims.db);
    return 0;
}

static void finish_claims(void)
{
    f.claims.idle = false;
    live_run(f.claims.loop, claims_live_is_idle, &f.claims);
}

static void epochs_are_taken(void **state)
{
    const struct epoch_ask asks[] = {
        {0, false},
        {1, true }
    };

    (void)state;
    f.claims.port.take_epochs(f.claims.port.self, asks, ARRAY_LEN(asks));
    finish_claims();
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
    f.claims.port.claim(f.claims.port.self, asks, ARRAY_LEN(asks));
    finish_claims();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(f.claims.answered[i], 1);
        assert_int_equal(f.claims.verdicts[i], cases[i].verdict);
    }
    assert_memory_equal(f.send.key_id, "key1", 4);
    assert_memory_equal(f.send.proof, "pppppppppppppppppppppppppppppppp", 32);
    assert_int_equal(f.send.code_length, 6);
    assert_int_equal(f.send.life_us, 300 * US_PER_S);
    assert_true(f.send.deadline_in_us > 30 * US_PER_S && f.send.deadline_in_us <= 60 * US_PER_S);
}

static void an_outcome_is_recorded_and_may_be_repeated(void **state)
{
    struct outcome row = {.ticket = 5,
                          .job_id = "job-0",
                          .day_us = f.send.day_us,
                          .partition = 0,
                          .epoch = 1,
                          .attempt = 1,
                          .age_us = 50 * US_PER_MS,
                          .duration_us = 40 * US_PER_MS,
                          .outcome = ATTEMPT_ACCEPTED,
                          .state = JOB_SENT,
                          .http_status = 200,
                          .provider_code = "Ok",
                          .request_id = "request",
                          .serial_no = "serial",
                          .fee = 1};

    (void)state;
    memset(row.proof, 'p', sizeof row.proof);
    for (int i = 1; i <= 2; i++) {
        f.outcomes.port.record(f.outcomes.port.self, &row, 1);
        finish_outcomes();
        assert_int_equal(f.outcomes.recorded, i);
        assert_int_equal(f.outcomes.answer.ticket, 5);
        assert_true(f.outcomes.answer.applied);
        assert_false(f.outcomes.answer.duplicate_send);
        assert_int_equal(f.outcomes.answer.status.state, JOB_SENT);
        assert_int_equal(f.outcomes.answer.status.seq, 2);
    }
}

static void notes_sweep_and_outbox_are_answered(void **state)
{
    const struct note notes[] = {
        {.ticket = 0, .partition = 0, .incarnation = 1, .offset = 50, .reason = "json"},
        {.ticket = 1, .partition = 1, .incarnation = 1, .offset = 60, .gap_end = 70   },
    };
    const int64_t ids[] = {1};
    const struct outcomes *port = &f.outcomes.port;

    (void)state;
    port->note(port->self, notes, ARRAY_LEN(notes));
    finish_outcomes();
    assert_int_equal(f.outcomes.noted, 2);
    port->sweep(port->self);
    finish_outcomes();
    assert_int_equal(f.outcomes.swept, 1);
    port->take_outbox(port->self);
    finish_outcomes();
    assert_int_equal(f.outcomes.outboxes, 1);
    port->outbox_done(port->self, ids, 1);
    finish_outcomes();
}

int main(void)
{
    /* In this order: each goes on where the one before it stopped. */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(epochs_are_taken),
        cmocka_unit_test(a_batch_is_claimed),
        cmocka_unit_test(an_outcome_is_recorded_and_may_be_repeated),
        cmocka_unit_test(notes_sweep_and_outbox_are_answered),
    };
    return cmocka_run_group_tests(tests, start, stop);
}

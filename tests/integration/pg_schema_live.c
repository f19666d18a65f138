/* The fixture on the real schema. */
#include "tests/integration/pg_schema_live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/loop.h"
#include "tests/check.h"

static struct schema_live *fixture; /* for the claims' handler, which is given another's arg */

static void on_claimed(void *arg, const struct claim_answer *answers, size_t n)
{
    claims_live_count(arg, answers, n);
    for (size_t i = 0; i < n; i++) {
        if (answers[i].verdict == CLAIM_SEND)
            fixture->send = answers[i];
    }
}

static void on_outbox(void *arg, const struct outbox_row *rows, size_t n)
{
    (void)arg;
    (void)rows;
    fixture->outboxes++;
    fixture->n_outbox += n;
}

static void on_health(void *arg, const char *why)
{
    struct outcomes_live *f = arg;

    if (why && !fixture->may_be_ill)
        fail_msg("%s", why);
    *(why ? &f->ills : &f->wells) += 1;
    loop_stop(f->loop);
}

/* The schema as the operator makes it, and a log-in that is a worker's and nothing more. */
void schema_live_start(struct schema_live *f)
{
    struct live_database *db = &f->claims.db;
    struct outcomes_handlers h = outcomes_live_handlers(&f->outcomes);
    char command[1024];
    char dsn[600];

    memset(f, 0, sizeof *f);
    fixture = f;
    live_make_database(db, "pg_schema");
    snprintf(command, sizeof command, "\"${SENDCODE_BUILD_DIR:-.}\"/sendcodectl migrate --dsn '%s'",
             db->dsn);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "create role test_%s login in role sendcode_worker",
             db->name);
    live_sql(db, command, NULL, 0);
    snprintf(dsn, sizeof dsn, "%s user=test_%s", db->dsn, db->name);
    claims_live_start_adapter(&f->claims, dsn, on_claimed);
    live_run(f->claims.loop, claims_live_is_idle, &f->claims);
    h.outbox = on_outbox;
    h.health = on_health;
    f->outcomes.settings.tencent.doubt_grace = 60;
    f->outcomes.settings.tencent.resend_after_doubt = true;
    outcomes_live_start_adapter(&f->outcomes, dsn, &h);
}

void schema_live_stop(struct schema_live *f)
{
    char sql[128];

    outcomes_live_stop_adapter(&f->outcomes);
    claims_live_stop_adapter(&f->claims);
    snprintf(sql, sizeof sql, "drop role test_%s", f->claims.db.name);
    live_sql(&f->claims.db, sql, NULL, 0);
    live_drop_database(&f->claims.db);
}

static void finish_claims(struct schema_live *f)
{
    f->claims.idle = false;
    live_run(f->claims.loop, claims_live_is_idle, &f->claims);
}

int64_t schema_live_take_epoch(struct schema_live *f)
{
    const struct epoch_ask ask = {.partition = 0};

    f->claims.port.take_epochs(f->claims.port.self, &ask, 1);
    finish_claims(f);
    assert_int_equal(f->claims.n_epochs, 1);
    return f->claims.epochs[0].epoch;
}

void schema_live_claim(struct schema_live *f, const struct claim_ask *asks, size_t n)
{
    memset(f->claims.answered, 0, sizeof f->claims.answered);
    f->claims.port.claim(f->claims.port.self, asks, n);
    finish_claims(f);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(f->claims.answered[asks[i].ticket], 1);
}

void schema_live_claim_jobs(struct schema_live *f, int64_t epoch, const int *numbers, size_t n)
{
    struct claim_ask asks[8];
    struct job jobs[ARRAY_LEN(asks)];
    char ids[ARRAY_LEN(asks)][16], phones[ARRAY_LEN(asks)][32];
    int64_t now_us = clock_wall_us();

    assert_true(n <= ARRAY_LEN(asks));
    memset(asks, 0, sizeof asks);
    for (size_t i = 0; i < n; i++) {
        snprintf(ids[i], sizeof ids[i], "job-%d", numbers[i]);
        snprintf(phones[i], sizeof phones[i], "+86139%08d", numbers[i]);
        jobs[i] = (struct job){.job_id = ids[i],
                               .phone = phones[i],
                               .scene_name = "login",
                               .scene = &claims_live_scene,
                               .requested_at_us = now_us,
                               .deadline_us = now_us + 60 * US_PER_S};
        asks[i] = (struct claim_ask){.ticket = (uint64_t)numbers[i],
                                     .job = &jobs[i],
                                     .incarnation = 1,
                                     .offset = numbers[i],
                                     .epoch = epoch};
        memset(asks[i].proof, 'p', sizeof asks[i].proof);
        memcpy(asks[i].key_id, "key1", 4);
    }
    schema_live_claim(f, asks, n);
}

void schema_live_record(struct schema_live *f, int number, int32_t attempt, int64_t epoch,
                        enum attempt_outcome outcome, enum job_state state)
{
    char id[16];
    struct outcome row = {.ticket = (uint64_t)number,
                          .job_id = id,
                          .day_us = f->send.day_us,
                          .epoch = epoch,
                          .attempt = attempt,
                          .age_us = 50 * US_PER_MS,
                          .duration_us = 40 * US_PER_MS,
                          .outcome = outcome,
                          .state = state,
                          .http_status = 200,
                          .provider_code = "Ok",
                          .request_id = "request",
                          .serial_no = outcome == ATTEMPT_ACCEPTED ? "serial" : NULL,
                          .fee = 1};

    snprintf(id, sizeof id, "job-%d", number);
    memset(row.proof, 'p', sizeof row.proof);
    f->outcomes.port.record(f->outcomes.port.self, &row, 1);
    outcomes_live_finish(&f->outcomes);
}

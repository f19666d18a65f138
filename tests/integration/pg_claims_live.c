/* The claims adapter's fixture. */
#include "tests/integration/pg_claims_live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/loop.h"
#include "tests/check.h"

#define TIME_US INT64_C(1795334400123456)

void claims_live_count(void *arg, const struct claim_answer *answers, size_t n)
{
    struct claims_live *f = arg;

    assert_false(f->port.can_ask(f->port.self));
    for (size_t i = 0; i < n; i++) {
        assert_true(answers[i].ticket < BATCH);
        f->answered[answers[i].ticket]++;
        f->verdicts[answers[i].ticket] = answers[i].verdict;
        if (answers[i].verdict == CLAIM_ROW_ODD)
            snprintf(f->odd_why, sizeof f->odd_why, "%s", answers[i].why);
    }
    f->n_answers += n;
}

static void on_idle(void *arg)
{
    struct claims_live *f = arg;
    assert_true(f->port.can_ask(f->port.self));
    f->idle = true;
    loop_stop(f->loop);
}

static void on_health(void *arg, const char *why)
{
    struct claims_live *f = arg;
    *(why ? &f->ills : &f->wells) += 1;
    snprintf(f->why, sizeof f->why, "%s", why ? why : "");
    loop_stop(f->loop);
}

static void on_schema_fault(void *arg, const char *why)
{
    struct claims_live *f = arg;
    f->faults++;
    snprintf(f->why, sizeof f->why, "%s", why);
    loop_stop(f->loop);
}

static void on_epochs(void *arg, const struct epoch_answer *answers, size_t n)
{
    struct claims_live *f = arg;

    assert_true(n <= ARRAY_LEN(f->epochs));
    memcpy(f->epochs, answers, n * sizeof *answers);
    f->n_epochs = n;
}

bool claims_live_is_idle(const void *arg)
{
    const struct claims_live *f = arg;
    return f->idle;
}

bool claims_live_is_faulty(const void *arg)
{
    const struct claims_live *f = arg;
    return f->faults > 0;
}

bool claims_live_is_ill(const void *arg)
{
    const struct claims_live *f = arg;
    return f->ills > 0;
}

void claims_live_start_adapter(struct claims_live *f, const char *dsn, claims_live_fn *claimed)
{
    static char jobs[] = "jobs";
    static char name[] = "worker-1";
    struct claims_handlers h = {.arg = f,
                                .epochs = on_epochs,
                                .claimed = claimed,
                                .idle = on_idle,
                                .health = on_health,
                                .schema_fault = on_schema_fault};
    struct err e;
    char *own_dsn = strdup(dsn);

    f->settings.topics.jobs = jobs;
    f->settings.worker.name = name;
    f->settings.postgres.dsn = own_dsn;
    f->settings.worker.start_budget = 2;
    f->settings.tencent.timeout = 5;
    f->settings.tencent.signature_life = 15;
    f->settings.limits.phone_per_day = 11;
    f->settings.limits.address_per_hour = 12;
    f->settings.limits.address_per_day = 13;
    f->settings.limits.provider_per_day = 14;
    f->settings.limits.provider_interval = 15;
    f->settings.secrets.code.n = 2;
    memcpy(f->settings.secrets.code.keys[0].id, "key1", 4);
    memcpy(f->settings.secrets.code.keys[1].id, "key2", 4);
    f->loop = loop_new(&e);
    assert_non_null(f->loop);
    f->adapter = pg_claims_new(f->loop, &f->settings, &h, &e);
    assert_non_null(f->adapter);
    f->port = pg_claims_port(f->adapter);
    assert_false(f->port.can_ask(f->port.self));
    free(own_dsn); /* it was needed during the call only */
}

void claims_live_stop_adapter(struct claims_live *f)
{
    pg_claims_free(f->adapter);
    loop_free(f->loop);
}

void claims_live_start(struct claims_live *f, claims_live_fn *claimed)
{
    memset(f, 0, sizeof *f);
    live_make_database(&f->db, "pg_claims");
    live_sql_file(&f->db, STUB);
    claims_live_start_adapter(f, f->db.dsn, claimed);
    live_run(f->loop, claims_live_is_idle, f);
    assert_int_equal(f->wells, 1);
}

void claims_live_stop(struct claims_live *f)
{
    claims_live_stop_adapter(f);
    live_drop_database(&f->db);
}

const struct scene claims_live_scene = {
    .ttl = 300,
    .code_length = 6,
    .cooldown = 60,
    .per_hour = 5,
    .per_day = 30,
    .max_tries = 7,
    .tries_window = 3600,
    .max_tries_day = 20,
    .resend_same = true,
};

void claims_live_ask(struct claims_live *f, char ids[][JOB_ID_MAX], size_t n)
{
    struct claim_ask asks[BATCH];
    struct job jobs[BATCH];

    memset(asks, 0, sizeof asks);
    for (size_t i = 0; i < n; i++) {
        jobs[i] = (struct job){.job_id = ids[i],
                               .phone = "+8613800138000",
                               .scene_name = "login",
                               .scene = &claims_live_scene,
                               .requested_at_us = TIME_US,
                               .deadline_us = TIME_US + 60 * US_PER_S};
        asks[i] = (struct claim_ask){.ticket = i, .job = &jobs[i], .partition = 3, .epoch = 5};
    }
    f->idle = false;
    f->port.claim(f->port.self, asks, n);
    assert_int_equal(f->n_answers, 0);
    assert_false(f->port.can_ask(f->port.self));
    memset(asks, 0xee, sizeof asks); /* all was copied */
    memset(jobs, 0xee, sizeof jobs);
    memset(ids, 0xee, n * JOB_ID_MAX);
}

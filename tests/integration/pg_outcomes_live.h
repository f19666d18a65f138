/* An outcomes adapter on a database of its own with pg_stub.sql, and what it was told. */
#ifndef SENDCODE_TESTS_INTEGRATION_PG_OUTCOMES_LIVE_H
#define SENDCODE_TESTS_INTEGRATION_PG_OUTCOMES_LIVE_H

#include "common/settings/settings.h"
#include "tests/integration/pg_live.h"
#include "worker/pg/pg_outcomes.h"

#define STUB SENDCODE_SOURCE_DIR "/tests/integration/pg_stub.sql"
#define OUTCOMES_DAY_US INT64_C(1795305600000000) /* 2026-11-22 */
#define OUTCOMES_BATCH 20

struct outcomes_live {
    struct live_database db;
    struct settings settings;
    struct loop *loop;
    struct pg_outcomes *adapter;
    struct outcomes port;
    int answered[OUTCOMES_BATCH]; /* how often, by ticket: outcomes, notes, settlements */
    bool refused[OUTCOMES_BATCH], odd[OUTCOMES_BATCH];
    bool idle;
    int sweeps, outboxes, errors_logged;
    int ills, wells;
    int64_t in_doubt;
    char traceparent[128];        /* of the last outcome: the stub tells its age and more there */
    struct outcome_answer answer; /* the last outcome's numbers */
    size_t n_parked;
    struct {
        enum parked_kind kind;
        int64_t lease, day_us, epoch;
        int32_t attempt;
        char job_id[64];
    } parked[4]; /* of the last taking */
    int takes, shares;
    int64_t asked_us; /* of the last taking */
    enum settled how;
    char settled_job[64]; /* "" if none */
    enum job_state settled_state;
    int64_t per_s, valid_us;
    char error[512]; /* the last line at error */
};

/* What an adapter on `settings` tells is noted in f. */
struct outcomes_handlers outcomes_live_handlers(struct outcomes_live *f);

/* The adapter alone; returns when it is idle. */
void outcomes_live_start_adapter(struct outcomes_live *f, const char *dsn,
                                 const struct outcomes_handlers *h);
void outcomes_live_stop_adapter(struct outcomes_live *f);

/* With a database and the stub in it; returns when the adapter is idle. h: NULL for the above. */
void outcomes_live_start(struct outcomes_live *f, const struct outcomes_handlers *h);
void outcomes_live_stop(struct outcomes_live *f);

/* Waits for the end of the request just made. */
void outcomes_live_finish(struct outcomes_live *f);

/* All that the stub's functions heard, in order, with " " between. */
void outcomes_live_heard(struct outcomes_live *f, char *out, size_t size);

bool outcomes_live_is_idle(const void *arg);
bool outcomes_live_is_ill(const void *arg);

#endif

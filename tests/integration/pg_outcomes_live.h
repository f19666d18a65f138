/* An outcomes adapter on a database of its own with pg_stub.sql, and what it was told. */
#ifndef SENDCODE_TESTS_INTEGRATION_PG_OUTCOMES_LIVE_H
#define SENDCODE_TESTS_INTEGRATION_PG_OUTCOMES_LIVE_H

#include "common/settings/settings.h"
#include "tests/integration/pg_live.h"
#include "worker/pg/pg_outcomes.h"

#define STUB SENDCODE_SOURCE_DIR "/tests/integration/pg_stub.sql"
#define OUTCOMES_DAY_US INT64_C(1795305600000000) /* 2026-11-22 */
#define BATCH 20

struct outcomes_live {
    struct live_database db;
    struct settings settings;
    struct loop *loop;
    struct pg_outcomes *adapter;
    struct outcomes port;
    int answered[BATCH]; /* how often, by ticket: outcomes, notes, settlements */
    bool refused[BATCH], odd[BATCH];
    bool idle;
    int sweeps, outboxes, errors_logged;
    int ills, wells;
    int64_t in_doubt;
    char traceparent[128]; /* of the last outcome: the stub tells its age and more there */
    size_t n_parked;
    int takes, shares;
    int64_t asked_us; /* of the last taking */
    enum settled how;
    char settled_job[64]; /* "" if none */
    int64_t per_s, valid_us;
    char error[512]; /* the last line at error */
};

/* What an adapter on `settings` tells is noted in f. */
struct outcomes_handlers outcomes_live_handlers(struct outcomes_live *f);

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

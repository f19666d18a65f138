/* A claims adapter on a database of its own with pg_stub.sql, and what it was told. */
#ifndef SENDCODE_TESTS_INTEGRATION_PG_CLAIMS_LIVE_H
#define SENDCODE_TESTS_INTEGRATION_PG_CLAIMS_LIVE_H

#include "common/settings/settings.h"
#include "tests/integration/pg_live.h"
#include "worker/pg/pg_claims.h"

#define STUB SENDCODE_SOURCE_DIR "/tests/integration/pg_stub.sql"
#define BATCH 40

struct claims_live {
    struct live_database db;
    struct settings settings;
    struct loop *loop;
    struct pg_claims *adapter;
    struct claims port;
    int answered[BATCH]; /* how often, by ticket */
    enum claim_verdict verdicts[BATCH];
    size_t n_answers;
    bool idle;
    int ills, wells, faults;
    struct epoch_answer epochs[4]; /* the last ones */
    size_t n_epochs;
    char why[512];
    char odd_why[512]; /* of the last CLAIM_ROW_ODD */
};

typedef void claims_live_fn(void *arg, const struct claim_answer *answers, size_t n);

/* With a database and the stub in it; returns when the adapter is idle. */
void claims_live_start(struct claims_live *f, claims_live_fn *claimed);
void claims_live_stop(struct claims_live *f);

/* The adapter alone. */
void claims_live_start_adapter(struct claims_live *f, const char *dsn, claims_live_fn *claimed);
void claims_live_stop_adapter(struct claims_live *f);

/* Counts the answers by ticket. */
void claims_live_count(void *arg, const struct claim_answer *answers, size_t n);

/* Asks for n jobs of these ids, which it overwrites; a ticket is a place in them. */
void claims_live_ask(struct claims_live *f, char ids[][JOB_ID_MAX], size_t n);

extern const struct scene claims_live_scene;

/* Conditions for live_run. */
bool claims_live_is_idle(const void *arg);
bool claims_live_is_faulty(const void *arg);
bool claims_live_is_ill(const void *arg);

#endif

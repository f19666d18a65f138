/*
 * The requests about parked jobs and the shared rate (sendcode.take_parked, settle, release_parked,
 * share_rate): their statements, what their parameters point to, and how their answers are read.
 */
#ifndef SENDCODE_WORKER_PG_PG_PARKED_H
#define SENDCODE_WORKER_PG_PG_PARKED_H

#include "common/crypto/crypto.h"
#include "common/pg/pg_array.h"
#include "worker/ports/outcomes.h"

struct pg_request;
struct settings;

#define PG_PARKED_PARAMS_MAX 15

/* What the parameters of one request point to; the making of the next one overwrites it. */
struct pg_parked {
    const char *worker, *topic;     /* the owner's, which outlive it */
    char instance[SHA256_HEX_SIZE]; /* of this process, for its share of the rate */
    int32_t grace_ms;
    bool resend;
    uint64_t ticket; /* of the settlement under way */
    char *job_id;    /* its job */
    char *why;
    struct pg_scalar slots[PG_PARKED_PARAMS_MAX];
    struct pg_array serial_nos, after_ms, accepted, states, reasons, codes; /* its records */
    struct pg_array job_ids, days, leases, waits_ms;                        /* of a release */
};

void pg_parked_init(struct pg_parked *p, const struct settings *s, const char *worker,
                    const char *topic);
void pg_parked_free(struct pg_parked *p);
void pg_parked_set_settings(struct pg_parked *p, const struct settings *s);

void pg_parked_take(struct pg_parked *p, const struct parked_ask *ask, struct pg_request *out);
void pg_parked_settle(struct pg_parked *p, const struct settlement *s, struct pg_request *out);
void pg_parked_release(struct pg_parked *p, const struct parked_release *rows, size_t n,
                       struct pg_request *out);
void pg_parked_share(struct pg_parked *p, int64_t rate, int64_t demand, struct pg_request *out);

/*
 * Answers go to the handlers; r NULL: the request was refused for what is stored, *why says how.
 * asked_us: the boot clock before it was asked for the last time.
 */
void pg_parked_on_taken(const struct outcomes_handlers *h, const struct pg_result *r,
                        int64_t asked_us);
void pg_parked_on_settled(struct pg_parked *p, const struct outcomes_handlers *h,
                          const struct pg_result *r, const char *why);
void pg_parked_on_shared(const struct outcomes_handlers *h, const struct pg_result *r,
                         int64_t asked_us);

#endif

/* Parked jobs: parameters out, answers in. */
#include "worker/pg/pg_parked.h"

#include <string.h>

#include "common/crypto/crypto.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/pg/pg_session.h"
#include "common/settings/settings.h"
#include "worker/pg/pg_status.h"

#define LEASE_MS 30000   /* of a taken job: whoever dies with it holds it no longer */
#define QUERIES_PER_S 10 /* DescribeSendRecordList, for the account */
#define SHARE_VALID_MS 3000

static const char take_sql[] =
    "select kind, lease, job_id, day, phone, scene, locale, requested_at, deadline, partition, "
    "incarnation, \"offset\", epoch, attempt, claimed_ago_ms from sendcode.take_parked("
    "p_worker => $1::text, p_topic => $2::text, p_doubts => $3::int, p_retries => $4::int, "
    "p_lease_ms => $5::int, p_per_s => $6::int, p_grace_ms => $7::int)";
enum taken_column {
    TAKEN_KIND,
    TAKEN_LEASE,
    TAKEN_JOB_ID,
    TAKEN_DAY,
    TAKEN_PHONE,
    TAKEN_SCENE,
    TAKEN_LOCALE,
    TAKEN_REQUESTED_AT,
    TAKEN_DEADLINE,
    TAKEN_PARTITION,
    TAKEN_INCARNATION,
    TAKEN_OFFSET,
    TAKEN_EPOCH,
    TAKEN_ATTEMPT,
    TAKEN_CLAIMED_AGO_MS,
};

static const char settle_sql[] =
    "select how, " PG_STATUS_COLUMNS " from sendcode.settle(p_worker => $1::text, "
    "p_job_id => $2::text, p_day => $3::date, p_lease => $4::bigint, p_attempt => $5::int, "
    "p_grace_ms => $6::int, p_resend => $7::bool, p_whole => $8::bool, p_why => $9::text, "
    "p_serial_no => $10::text[], p_after_ms => $11::bigint[], p_accepted => $12::bool[], "
    "p_state => $13::text[], p_reason => $14::text[], p_code => $15::text[])";
enum settled_column { SETTLED_HOW, SETTLED_STATUS };

static const char release_sql[] =
    "select sendcode.release_parked(p_job_id => $1::text[], p_day => $2::date[], "
    "p_lease => $3::bigint[], p_wait_ms => $4::bigint[])";

static const char share_sql[] =
    "select sendcode.share_rate(p_instance => $1::text, p_rate => $2::int, p_demand => $3::int, "
    "p_valid_ms => $4::int)";

static const char *const kinds[] = {[PARKED_DOUBT] = "doubt", [PARKED_RETRY] = "retry"};

static void make_instance(char out[SHA256_HEX_SIZE])
{
    uint8_t bytes[SHA256_SIZE];

    crypto_random(bytes, sizeof bytes);
    crypto_hex(bytes, out);
}

void pg_parked_init(struct pg_parked *p, const struct settings *s, const char *worker,
                    const char *topic)
{
    *p = (struct pg_parked){.worker = worker, .topic = topic};
    make_instance(p->instance);
    pg_parked_set_settings(p, s);
    pg_array_init(&p->serial_nos, PG_TEXT);
    pg_array_init(&p->after_ms, PG_INT8);
    pg_array_init(&p->accepted, PG_BOOL);
    pg_array_init(&p->states, PG_TEXT);
    pg_array_init(&p->reasons, PG_TEXT);
    pg_array_init(&p->codes, PG_TEXT);
    pg_array_init(&p->job_ids, PG_TEXT);
    pg_array_init(&p->days, PG_DATE);
    pg_array_init(&p->leases, PG_INT8);
    pg_array_init(&p->waits_ms, PG_INT8);
}

void pg_parked_free(struct pg_parked *p)
{
    pg_array_free(&p->serial_nos);
    pg_array_free(&p->after_ms);
    pg_array_free(&p->accepted);
    pg_array_free(&p->states);
    pg_array_free(&p->reasons);
    pg_array_free(&p->codes);
    pg_array_free(&p->job_ids);
    pg_array_free(&p->days);
    pg_array_free(&p->leases);
    pg_array_free(&p->waits_ms);
    mem_free(p->job_id);
    mem_free(p->why);
}

void pg_parked_set_settings(struct pg_parked *p, const struct settings *s)
{
    p->grace_ms = (int32_t)(s->tencent.doubt_grace * 1000);
    p->resend = s->tencent.resend_after_doubt;
}

static struct pg_param int_param(struct pg_parked *p, int place, int64_t v)
{
    return pg_param_i32(&p->slots[place], (int32_t)MIN(v, INT32_MAX));
}

void pg_parked_take(struct pg_parked *p, const struct parked_ask *ask, struct pg_request *out)
{
    *out = (struct pg_request){.sql = take_sql, .n = 7};
    out->params[0] = pg_param_text(p->worker);
    out->params[1] = pg_param_text(p->topic);
    out->params[2] = int_param(p, 2, ask->doubts);
    out->params[3] = int_param(p, 3, ask->retries);
    out->params[4] = int_param(p, 4, LEASE_MS);
    out->params[5] = int_param(p, 5, QUERIES_PER_S);
    out->params[6] = int_param(p, 6, p->grace_ms);
}

static void keep_text(char **to, const char *text)
{
    mem_free(*to);
    *to = text ? mem_must_strdup(text) : NULL;
}

static void add_record(struct pg_parked *p, const struct settlement_record *r)
{
    pg_array_add_text(&p->serial_nos, r->serial_no);
    pg_array_add_i64(&p->after_ms, r->after_take_us / US_PER_MS);
    pg_array_add_bool(&p->accepted, r->accepted);
    pg_array_add_text(&p->states, r->accepted ? NULL : job_state_to_text(r->state));
    pg_array_add_text(&p->reasons, r->accepted ? NULL : job_reason_to_text(r->reason));
    pg_array_add_text(&p->codes, r->provider_code);
}

static void keep_records(struct pg_parked *p, const struct settlement *s)
{
    pg_array_clear(&p->serial_nos);
    pg_array_clear(&p->after_ms);
    pg_array_clear(&p->accepted);
    pg_array_clear(&p->states);
    pg_array_clear(&p->reasons);
    pg_array_clear(&p->codes);
    for (size_t i = 0; i < s->n_records; i++)
        add_record(p, &s->records[i]);
}

void pg_parked_settle(struct pg_parked *p, const struct settlement *s, struct pg_request *out)
{
    p->ticket = s->ticket;
    keep_text(&p->job_id, s->job_id);
    keep_text(&p->why, s->why);
    keep_records(p, s);
    *out = (struct pg_request){.sql = settle_sql, .n = 15};
    out->params[0] = pg_param_text(p->worker);
    out->params[1] = pg_param_text(p->job_id);
    out->params[2] = pg_param_date(&p->slots[2], s->day_us);
    out->params[3] = pg_param_i64(&p->slots[3], s->lease);
    out->params[4] = pg_param_i32(&p->slots[4], s->attempt);
    out->params[5] = pg_param_i32(&p->slots[5], p->grace_ms);
    out->params[6] = pg_param_bool(&p->slots[6], p->resend);
    out->params[7] = pg_param_bool(&p->slots[7], s->whole);
    out->params[8] = pg_param_text(p->why);
    out->params[9] = pg_array_param(&p->serial_nos);
    out->params[10] = pg_array_param(&p->after_ms);
    out->params[11] = pg_array_param(&p->accepted);
    out->params[12] = pg_array_param(&p->states);
    out->params[13] = pg_array_param(&p->reasons);
    out->params[14] = pg_array_param(&p->codes);
}

void pg_parked_release(struct pg_parked *p, const struct parked_release *rows, size_t n,
                       struct pg_request *out)
{
    pg_array_clear(&p->job_ids);
    pg_array_clear(&p->days);
    pg_array_clear(&p->leases);
    pg_array_clear(&p->waits_ms);
    for (size_t i = 0; i < n; i++) {
        pg_array_add_text(&p->job_ids, rows[i].job_id);
        pg_array_add_date(&p->days, rows[i].day_us);
        pg_array_add_i64(&p->leases, rows[i].lease);
        pg_array_add_i64(&p->waits_ms, rows[i].wait_us / US_PER_MS);
    }
    *out = (struct pg_request){.sql = release_sql, .n = 4};
    out->params[0] = pg_array_param(&p->job_ids);
    out->params[1] = pg_array_param(&p->days);
    out->params[2] = pg_array_param(&p->leases);
    out->params[3] = pg_array_param(&p->waits_ms);
}

void pg_parked_share(struct pg_parked *p, int64_t rate, int64_t demand, struct pg_request *out)
{
    *out = (struct pg_request){.sql = share_sql, .n = 4};
    out->params[0] = pg_param_text(p->instance);
    out->params[1] = int_param(p, 1, rate);
    out->params[2] = int_param(p, 2, demand);
    out->params[3] = int_param(p, 3, SHARE_VALID_MS);
}

/* The place of a text in a table; n: it is not there. */
static size_t find_kind(const char *text)
{
    size_t i = 0;

    while (i < ARRAY_LEN(kinds) && (!text || strcmp(kinds[i], text) != 0))
        i++;
    return i;
}

/* False when a part without which nothing can be done with the job is missing. */
static bool read_job(const struct pg_result *r, int row, struct parked_job *out)
{
    size_t kind = find_kind(pg_text(r, row, TAKEN_KIND));

    *out = (struct parked_job){
        .kind = (enum parked_kind)kind,
        .lease = pg_i64(r, row, TAKEN_LEASE),
        .job_id = pg_text(r, row, TAKEN_JOB_ID),
        .day_us = pg_date_us(r, row, TAKEN_DAY),
        .phone = pg_text(r, row, TAKEN_PHONE),
        .scene = pg_text(r, row, TAKEN_SCENE),
        .locale = pg_text(r, row, TAKEN_LOCALE),
        .requested_us = pg_time_us(r, row, TAKEN_REQUESTED_AT),
        .deadline_us = pg_time_us(r, row, TAKEN_DEADLINE),
        .partition = pg_i32(r, row, TAKEN_PARTITION),
        .incarnation = pg_i32(r, row, TAKEN_INCARNATION),
        .offset = pg_i64(r, row, TAKEN_OFFSET),
        .epoch = pg_i64(r, row, TAKEN_EPOCH),
        .attempt = pg_i32(r, row, TAKEN_ATTEMPT),
        .claimed_ago_us = pg_i64(r, row, TAKEN_CLAIMED_AGO_MS) * US_PER_MS,
    };
    return kind < ARRAY_LEN(kinds) && out->job_id && out->phone && out->scene;
}

void pg_parked_on_taken(const struct outcomes_handlers *h, const struct pg_result *r,
                        int64_t asked_us)
{
    int rows = r ? pg_rows(r) : 0;
    struct parked_job *jobs = mem_must_alloc(((size_t)rows + 1) * sizeof *jobs);
    size_t n = 0;

    for (int row = 0; row < rows; row++) {
        if (read_job(r, row, &jobs[n]))
            n++;
        else
            log_error("PostgreSQL gave a parked job that cannot be; it is left as it is",
                      LS("job_id", jobs[n].job_id), LS("kind", pg_text(r, row, TAKEN_KIND)));
    }
    h->parked(h->arg, jobs, n, asked_us);
    mem_free(jobs);
}

static const char *read_settled(const struct pg_result *r, struct settlement_answer *out)
{
    const char *why;

    if (pg_rows(r) != 1)
        return "sendcode.settle did not answer one row";
    if (!settled_from_text(pg_text(r, 0, SETTLED_HOW), &out->how))
        return "sendcode.settle answered in a way that this program does not know";
    why = pg_status_read(r, 0, SETTLED_STATUS, &out->status);
    if (!why && !out->status.job_id && out->how != SETTLED_PASSED && out->how != SETTLED_ODD)
        why = "sendcode.settle did not say what the job is now";
    return why;
}

void pg_parked_on_settled(struct pg_parked *p, const struct outcomes_handlers *h,
                          const struct pg_result *r, const char *why)
{
    struct settlement_answer answer = {.ticket = p->ticket};

    if (r)
        why = read_settled(r, &answer);
    if (why) {
        log_error("a parked job's rows cannot be settled; it is left as it is",
                  LS("job_id", p->job_id), LS("why", why));
        answer = (struct settlement_answer){.ticket = p->ticket, .how = SETTLED_ODD};
    }
    h->settled(h->arg, &answer);
}

void pg_parked_on_shared(const struct outcomes_handlers *h, const struct pg_result *r,
                         int64_t asked_us)
{
    int64_t per_s = r && pg_rows(r) == 1 ? pg_i64(r, 0, 0) : 0;

    h->rate_share(h->arg, MAX(per_s, 0), asked_us + SHARE_VALID_MS * US_PER_MS);
}

/* Outbox and sweep: parameters out, answers in. */
#include "worker/pg/pg_chores.h"

#include "common/log.h"
#include "common/mem.h"
#include "common/pg/pg_session.h"
#include "worker/pg/pg_status.h"

#define OUTBOX_ROWS 256 /* a call */

static const char outbox_take_sql[] =
    "select id, " PG_STATUS_COLUMNS " from sendcode.outbox_take(p_limit => $1::int)";
static const char outbox_done_sql[] = "select sendcode.outbox_done(p_ids => $1::bigint[])";
static const char sweep_sql[] = "select in_doubt from sendcode.sweep()";

void pg_chores_init(struct pg_chores *c)
{
    pg_array_init(&c->ids, PG_INT8);
}

void pg_chores_free(struct pg_chores *c)
{
    pg_array_free(&c->ids);
}

void pg_chores_take_outbox(struct pg_chores *c, struct pg_request *out)
{
    *out = (struct pg_request){.sql = outbox_take_sql, .n = 1};
    out->params[0] = pg_param_i32(&c->limit, OUTBOX_ROWS);
}

void pg_chores_outbox_done(struct pg_chores *c, const int64_t *ids, size_t n,
                           struct pg_request *out)
{
    pg_array_clear(&c->ids);
    for (size_t i = 0; i < n; i++)
        pg_array_add_i64(&c->ids, ids[i]);
    *out = (struct pg_request){.sql = outbox_done_sql, .n = 1};
    out->params[0] = pg_array_param(&c->ids);
}

void pg_chores_sweep(struct pg_request *out)
{
    *out = (struct pg_request){.sql = sweep_sql};
}

void pg_chores_on_outbox(const struct outcomes_handlers *h, const struct pg_result *r)
{
    size_t n = 0;
    int n_rows = r ? pg_rows(r) : 0;
    struct outbox_row *rows = mem_must_alloc(((size_t)n_rows + 1) * sizeof *rows);

    for (int i = 0; i < n_rows; i++) {
        const char *why = pg_status_read(r, i, 1, &rows[n].status);
        rows[n].id = pg_i64(r, i, 0);
        if (!why)
            n++;
        else
            log_error("PostgreSQL gave an event that cannot be; it stays in the outbox",
                      LS("job_id", rows[n].status.job_id), LS("why", why));
    }
    h->outbox(h->arg, rows, n);
    mem_free(rows);
}

void pg_chores_on_swept(const struct outcomes_handlers *h, const struct pg_result *r)
{
    if (r && pg_rows(r) > 0)
        h->in_doubt(h->arg, pg_i64(r, 0, 0));
    h->swept(h->arg);
}

/* How the worker talks to the storm's database: asks, and answers that may be late. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/replay/storm/world.h"

void database_answer_claims(struct world *w)
{
    struct claims_handlers h = pipeline_claims_handlers(w->pipeline);
    if (!w->c.decided)
        database_decide_claims(w);
    size_t n_epochs = w->c.n_epochs, n = w->c.n;
    w->c.busy = false;
    w->c.n_epochs = w->c.n = 0;
    if (n_epochs > 0)
        h.epochs(h.arg, w->c.epoch_answers, n_epochs);
    if (n > 0)
        h.claimed(h.arg, w->c.answers, n);
    h.idle(h.arg);
}

/* A row's id is its job's number; the seq says whether what was announced is still the latest. */
static void give_outbox(struct world *w, const struct outcomes_handlers *h)
{
    struct outbox_row rows[CHORES_OUTBOX_MAX];
    size_t n = 0;
    for (struct db_job *j = w->jobs; j && n < CHORES_OUTBOX_MAX; j = j->hh.next) {
        if (j->in_outbox)
            rows[n++] = (struct outbox_row){atoll(j->job_id + 1), database_status(j)};
    }
    h->outbox(h->arg, rows, n);
}

static void end_outbox(struct world *w)
{
    for (size_t i = 0; i < w->o.n; i++) {
        char job_id[16];
        snprintf(job_id, sizeof(job_id), "j%lld", (long long)w->o.done[i]);
        struct db_job *j = database_get(w, job_id);
        if (!j || j->announced == 0)
            world_fail(w, "%s left the outbox unannounced", job_id);
        j->in_outbox = j->announced < j->seq;
    }
}

void database_answer_outcomes(struct world *w)
{
    struct outcomes_handlers h = pipeline_outcomes_handlers(w->pipeline);
    enum outcomes_ask ask = w->o.ask;
    if (!w->o.decided)
        database_decide_outcomes(w);
    w->o.ask = ASK_NONE;
    if (ask == ASK_RECORD)
        h.recorded(h.arg, w->o.answers, w->o.n);
    else if (ask == ASK_NOTE)
        h.noted(h.arg, w->o.tickets, w->o.n);
    else if (ask == ASK_TAKE)
        give_outbox(w, &h);
    else if (ask == ASK_DONE)
        end_outbox(w);
    else if (ask == ASK_SWEEP)
        h.swept(h.arg);
    h.idle(h.arg);
}

static bool claims_can_ask(void *self)
{
    const struct world *w = self;
    return !w->c.busy && !w->db_away;
}

static void claims_take_epochs(void *self, const struct epoch_ask *asks, size_t n)
{
    struct world *w = self;
    if (w->c.busy || n > PARTITIONS)
        world_fail(w, "%zu epochs are asked for, or while the database is busy", n);
    w->c.busy = true;
    w->c.n_epochs = n;
    memcpy(w->c.epochs, asks, n * sizeof(*asks));
    w->c.decided = false;
    if (world_chance(w, 50))
        database_decide_claims(w);
}

static void claims_claim(void *self, const struct claim_ask *asks, size_t n)
{
    struct world *w = self;
    if (w->c.busy)
        world_fail(w, "a claim while the database is busy");
    w->c.busy = true;
    w->c.n = n;
    for (size_t i = 0; i < n; i++) {
        snprintf(w->c.asks[i].job_id, sizeof(w->c.asks[i].job_id), "%s", asks[i].job->job_id);
        w->c.asks[i].ticket = asks[i].ticket;
        w->c.asks[i].partition = asks[i].partition;
        w->c.asks[i].offset = asks[i].offset;
        w->c.asks[i].epoch = asks[i].epoch;
        memcpy(w->c.asks[i].nonce, asks[i].nonce, sizeof(asks[i].nonce));
        memcpy(w->c.asks[i].proof, asks[i].proof, sizeof(asks[i].proof));
        memcpy(w->c.asks[i].key_id, asks[i].key_id, sizeof(asks[i].key_id));
    }
    w->c.decided = false;
    if (world_chance(w, 50))
        database_decide_claims(w);
}

static bool outcomes_can_ask(void *self)
{
    const struct world *w = self;
    return w->o.ask == ASK_NONE && !w->db_away;
}

static void ask(struct world *w, enum outcomes_ask what, size_t n)
{
    if (w->o.ask != ASK_NONE)
        world_fail(w, "an outcome while the database is busy");
    w->o.ask = what;
    w->o.n = n;
    w->o.decided = false;
}

static void outcomes_record(void *self, const struct outcome *rows, size_t n)
{
    struct world *w = self;
    ask(w, ASK_RECORD, n);
    for (size_t i = 0; i < n; i++) {
        w->o.rows[i] = rows[i];
        snprintf(w->o.job_ids[i], sizeof(w->o.job_ids[i]), "%s", rows[i].job_id);
    }
    if (world_chance(w, 50))
        database_decide_outcomes(w);
}

static void outcomes_note(void *self, const struct note *notes, size_t n)
{
    struct world *w = self;
    ask(w, ASK_NOTE, n);
    for (size_t i = 0; i < n; i++) {
        w->o.notes[i] = notes[i];
        w->o.tickets[i] = notes[i].ticket;
    }
    if (world_chance(w, 50))
        database_decide_outcomes(w);
}

static void outcomes_take_outbox(void *self)
{
    ask(self, ASK_TAKE, 0);
}

static void outcomes_outbox_done(void *self, const int64_t *ids, size_t n)
{
    struct world *w = self;
    ask(w, ASK_DONE, n);
    memcpy(w->o.done, ids, n * sizeof(*ids));
}

static void outcomes_sweep(void *self)
{
    ask(self, ASK_SWEEP, 0);
}

void database_init(struct world *w)
{
    w->claims = (struct claims){.self = w,
                                .can_ask = claims_can_ask,
                                .take_epochs = claims_take_epochs,
                                .claim = claims_claim};
    w->outcomes = (struct outcomes){.self = w,
                                    .can_ask = outcomes_can_ask,
                                    .record = outcomes_record,
                                    .note = outcomes_note,
                                    .take_outbox = outcomes_take_outbox,
                                    .outbox_done = outcomes_outbox_done,
                                    .sweep = outcomes_sweep};
}

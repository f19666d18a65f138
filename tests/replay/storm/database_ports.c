/* How the worker talks to the storm's database: asks, and answers that may be late. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "tests/replay/storm/world.h"

void database_answer_claims(struct node *n)
{
    struct claims_handlers h = pipeline_claims_handlers(n->pipeline);
    if (!n->c.decided)
        database_decide_claims(n);
    size_t n_epochs = n->c.n_epochs, n_claims = n->c.n;
    n->c.busy = false;
    n->c.n_epochs = n->c.n = 0;
    if (n_epochs > 0)
        h.epochs(h.arg, n->c.epoch_answers, n_epochs);
    if (n_claims > 0)
        h.claimed(h.arg, n->c.answers, n_claims);
    h.idle(h.arg);
}

/* A row's id is its job's number; the seq says whether what was announced is still the latest. */
static void give_outbox(struct node *n, const struct outcomes_handlers *h)
{
    struct outbox_row rows[CHORES_OUTBOX_MAX];
    size_t k = 0;
    for (struct db_job *j = n->world->jobs; j && k < CHORES_OUTBOX_MAX; j = j->hh.next) {
        if (j->in_outbox)
            rows[k++] = (struct outbox_row){atoll(j->job_id + 1), database_status(j)};
    }
    h->outbox(h->arg, rows, k);
}

static void end_outbox(struct node *n)
{
    for (size_t i = 0; i < n->o.n; i++) {
        char job_id[16];
        snprintf(job_id, sizeof(job_id), "j%lld", (long long)n->o.done[i]);
        struct db_job *j = database_get(n->world, job_id);
        if (!j || j->announced == 0)
            world_fail(n->world, "%s left the outbox unannounced", job_id);
        j->in_outbox = j->announced < j->seq;
    }
}

void database_answer_outcomes(struct node *n)
{
    struct outcomes_handlers h = pipeline_outcomes_handlers(n->pipeline);
    enum outcomes_ask ask = n->o.ask;
    if (!n->o.decided)
        database_decide_outcomes(n);
    n->o.ask = ASK_NONE;
    if (ask == ASK_RECORD)
        h.recorded(h.arg, n->o.answers, n->o.n);
    else if (ask == ASK_NOTE)
        h.noted(h.arg, n->o.tickets, n->o.n);
    else if (ask == ASK_TAKE)
        give_outbox(n, &h);
    else if (ask == ASK_DONE)
        end_outbox(n);
    else if (ask == ASK_SWEEP)
        h.swept(h.arg);
    else if (ask == ASK_PARKED)
        h.parked(h.arg, n->o.parked, n->o.n_parked, n->o.asked_us);
    else if (ask == ASK_SETTLE)
        h.settled(h.arg, &n->o.settled);
    else if (ask == ASK_SHARE)
        h.rate_share(h.arg, n->o.share, n->o.asked_us + SHARE_US);
    h.idle(h.arg);
}

static bool claims_can_ask(void *self)
{
    const struct node *n = self;
    return !n->c.busy && !n->world->db_away;
}

static void claims_take_epochs(void *self, const struct epoch_ask *asks, size_t count)
{
    struct node *n = self;
    if (n->c.busy || count > PARTITIONS)
        world_fail(n->world, "%zu epochs are asked for, or while the database is busy", count);
    n->c.busy = true;
    n->c.n_epochs = count;
    memcpy(n->c.epochs, asks, count * sizeof(*asks));
    n->c.decided = false;
    if (world_chance(n->world, 50))
        database_decide_claims(n);
}

static void claims_claim(void *self, const struct claim_ask *asks, size_t count)
{
    struct node *n = self;
    if (n->c.busy)
        world_fail(n->world, "a claim while the database is busy");
    n->c.busy = true;
    n->c.n = count;
    for (size_t i = 0; i < count; i++) {
        snprintf(n->c.asks[i].job_id, sizeof(n->c.asks[i].job_id), "%s", asks[i].job->job_id);
        n->c.asks[i].ticket = asks[i].ticket;
        n->c.asks[i].partition = asks[i].partition;
        n->c.asks[i].offset = asks[i].offset;
        n->c.asks[i].epoch = asks[i].epoch;
        n->c.asks[i].asked_us = clock_boot_us();
        memcpy(n->c.asks[i].nonce, asks[i].nonce, sizeof(asks[i].nonce));
        memcpy(n->c.asks[i].proof, asks[i].proof, sizeof(asks[i].proof));
        memcpy(n->c.asks[i].key_id, asks[i].key_id, sizeof(asks[i].key_id));
    }
    n->c.decided = false;
    if (world_chance(n->world, 50))
        database_decide_claims(n);
}

static bool outcomes_can_ask(void *self)
{
    const struct node *n = self;
    return n->o.ask == ASK_NONE && !n->world->db_away;
}

static void ask(struct node *n, enum outcomes_ask what, size_t count)
{
    if (n->o.ask != ASK_NONE)
        world_fail(n->world, "an outcome while the database is busy");
    n->o.ask = what;
    n->o.n = count;
    n->o.asked_us = clock_boot_us();
    n->o.decided = false;
}

static void outcomes_record(void *self, const struct outcome *rows, size_t count)
{
    struct node *n = self;
    ask(n, ASK_RECORD, count);
    for (size_t i = 0; i < count; i++) {
        n->o.rows[i] = rows[i];
        snprintf(n->o.job_ids[i], sizeof(n->o.job_ids[i]), "%s", rows[i].job_id);
    }
    if (world_chance(n->world, 50))
        database_decide_outcomes(n);
}

static void outcomes_note(void *self, const struct note *notes, size_t count)
{
    struct node *n = self;
    ask(n, ASK_NOTE, count);
    for (size_t i = 0; i < count; i++) {
        n->o.notes[i] = notes[i];
        n->o.tickets[i] = notes[i].ticket;
    }
    if (world_chance(n->world, 50))
        database_decide_outcomes(n);
}

static void outcomes_take_outbox(void *self)
{
    ask(self, ASK_TAKE, 0);
}

static void outcomes_outbox_done(void *self, const int64_t *ids, size_t count)
{
    struct node *n = self;
    ask(n, ASK_DONE, count);
    memcpy(n->o.done, ids, count * sizeof(*ids));
}

static void outcomes_sweep(void *self)
{
    ask(self, ASK_SWEEP, 0);
}

static void outcomes_take_parked(void *self, const struct parked_ask *parked)
{
    struct node *n = self;
    ask(n, ASK_PARKED, 0);
    n->o.parked_ask = *parked;
    if (world_chance(n->world, 50))
        database_decide_outcomes(n);
}

static void outcomes_settle(void *self, const struct settlement *s)
{
    struct node *n = self;
    ask(n, ASK_SETTLE, 0);
    n->o.settlement = s;
    if (world_chance(n->world, 50))
        database_decide_outcomes(n);
}

static void outcomes_release(void *self, const struct parked_release *rows, size_t count)
{
    struct node *n = self;
    ask(n, ASK_RELEASE, count);
    memcpy(n->o.releases, rows, count * sizeof(*rows));
    if (world_chance(n->world, 50))
        database_decide_outcomes(n);
}

static void outcomes_share_rate(void *self, int64_t rate, int64_t demand)
{
    struct node *n = self;
    ask(n, ASK_SHARE, 0);
    n->o.rate = rate;
    n->o.demand = demand;
    if (world_chance(n->world, 50))
        database_decide_outcomes(n);
}

void database_init(struct node *n)
{
    n->claims = (struct claims){.self = n,
                                .can_ask = claims_can_ask,
                                .take_epochs = claims_take_epochs,
                                .claim = claims_claim};
    n->outcomes = (struct outcomes){.self = n,
                                    .can_ask = outcomes_can_ask,
                                    .record = outcomes_record,
                                    .note = outcomes_note,
                                    .take_outbox = outcomes_take_outbox,
                                    .outbox_done = outcomes_outbox_done,
                                    .sweep = outcomes_sweep,
                                    .take_parked = outcomes_take_parked,
                                    .settle = outcomes_settle,
                                    .release = outcomes_release,
                                    .share_rate = outcomes_share_rate};
}

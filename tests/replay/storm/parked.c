/* The storm's parked rows, as sendcode.take_parked, settle, release_parked and sweep keep them. */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "tests/replay/storm/world.h"

#define LEASE_US (30 * US_PER_S)
#define SLACK_US (5 * US_PER_S)
#define GRACE_US (20 * US_PER_S)

void parked_park(struct db_job *j)
{
    j->parking = PARKING_DOUBT;
    j->ask_at_us = clock_wall_us() + US_PER_S;
    j->asks = 0;
    j->lease_until_us = 0;
}

static bool is_free(const struct db_job *j)
{
    int64_t now = clock_wall_us();
    return j->ask_at_us <= now && j->lease_until_us <= now;
}

static void lease(struct node *n, struct db_job *j, enum parked_kind kind)
{
    int64_t now = clock_wall_us();
    j->lease++;
    j->leased_at_us = now;
    j->lease_until_us = now + LEASE_US;
    n->o.parked[n->o.n_parked++] = (struct parked_job){
        .kind = kind,
        .lease = j->lease,
        .job_id = j->job_id,
        .phone = j->phone,
        .scene = "register",
        .requested_us = j->requested_us,
        .deadline_us = j->deadline_us,
        .partition = j->partition,
        .offset = j->offset,
        .epoch = n->world->logs[j->partition].epoch,
        .attempt = j->attempt,
        .claimed_ago_us = now - j->claimed_us,
    };
}

/* A worker died with the retry that it had taken: as the new owner of a partition would. */
static void take_over_retry(struct db_job *j)
{
    if (j->state == JOB_CLAIMED && j->takeover_us <= clock_wall_us()) {
        if (j->unsent_attempt == j->attempt) {
            j->state = JOB_RETRY;
            return;
        }
        database_to_outbox(j, JOB_IN_DOUBT);
        parked_park(j);
    } else if (j->state != JOB_CLAIMED && j->state != JOB_RETRY) {
        j->parking = PARKING_NONE;
        j->in_outbox = true;
    }
}

void parked_take(struct node *n)
{
    const struct parked_ask *ask = &n->o.parked_ask;
    uint32_t doubts = 0, retries = 0;
    n->o.n_parked = 0;
    for (struct db_job *j = n->world->jobs; j; j = j->hh.next) {
        if (j->parking == PARKING_NONE || !is_free(j))
            continue;
        if (j->parking != PARKING_RETRY && doubts < ask->doubts) {
            doubts++;
            lease(n, j, PARKED_DOUBT);
        } else if (j->parking == PARKING_RETRY && j->state == JOB_RETRY) {
            if (retries++ < ask->retries)
                lease(n, j, PARKED_RETRY);
        } else if (j->parking == PARKING_RETRY) {
            take_over_retry(j);
        }
    }
}

static bool is_known_of_another(const struct world *w, const struct db_job *j, const char *serial)
{
    const struct db_job *other = database_get(w, serial + 2);
    return serial[0] == 'S' && other && other != j && other->known;
}

/* Another doubt of this phone could be the sender as well. */
static bool has_rival(const struct world *w, const struct db_job *j, int64_t at_us)
{
    for (const struct db_job *o = w->jobs; o; o = o->hh.next) {
        bool open =
            o->state == JOB_CLAIMED || o->parking == PARKING_DOUBT || o->parking == PARKING_UNKNOWN;
        if (o != j && open && strcmp(o->phone, j->phone) == 0 &&
            at_us >= o->claimed_us - SLACK_US && at_us <= o->not_after_us + SLACK_US)
            return true;
    }
    return false;
}

static enum settled judge(const struct world *w, const struct db_job *j, const struct settlement *s)
{
    unsigned candidates = 0;
    bool dim = false;
    for (size_t i = 0; i < s->n_records; i++) {
        const struct settlement_record *r = &s->records[i];
        int64_t at_us = j->leased_at_us + r->after_take_us;
        if (at_us < j->claimed_us - SLACK_US || at_us > j->not_after_us + SLACK_US ||
            is_known_of_another(w, j, r->serial_no))
            continue;
        candidates++;
        dim = dim || !r->accepted || has_rival(w, j, at_us);
    }
    if (candidates > 0)
        return candidates == 1 && !dim ? SETTLED_SENT : SETTLED_AMBIGUOUS;
    return s->whole && j->leased_at_us > j->not_after_us + GRACE_US ? SETTLED_UNSENT : SETTLED_OPEN;
}

static void ask_again(struct db_job *j)
{
    int64_t now = clock_wall_us(), telling = j->not_after_us + GRACE_US + US_PER_S;
    int64_t wait = MIN(INT64_C(2) << MIN(j->asks, 4u), 30) * US_PER_S;
    j->asks++;
    j->lease_until_us = 0;
    j->ask_at_us = now + wait;
    if (telling > now)
        j->ask_at_us = MIN(j->ask_at_us, telling);
}

static void settle_unsent(struct db_job *j)
{
    if (j->state == JOB_UNKNOWN) {
        j->parking = PARKING_NONE;
        return;
    }
    bool late = j->deadline_us <= clock_wall_us();
    database_to_outbox(j, late ? JOB_EXPIRED : JOB_RETRY);
    j->parking = late ? PARKING_NONE : PARKING_RETRY;
    j->ask_at_us = clock_wall_us();
    j->lease_until_us = 0;
}

void parked_settle(struct node *n)
{
    struct world *w = n->world;
    const struct settlement *s = n->o.settlement;
    struct db_job *j = database_get(w, s->job_id);
    struct settlement_answer *a = &n->o.settled;
    *a = (struct settlement_answer){.ticket = s->ticket, .how = SETTLED_PASSED};
    bool asked = j->parking == PARKING_DOUBT || j->parking == PARKING_UNKNOWN;
    if (j->lease == s->lease && j->attempt == s->attempt && asked) {
        a->how = judge(w, j, s);
        if (a->how != SETTLED_SENT && j->unsent_attempt == j->attempt)
            a->how = SETTLED_UNSENT;
        if (a->how == SETTLED_SENT) {
            j->known = true;
            j->accepted_attempt = j->attempt;
            database_to_outbox(j, JOB_SENT);
            j->parking = PARKING_NONE;
        } else if (a->how == SETTLED_UNSENT) {
            settle_unsent(j);
        } else {
            ask_again(j);
        }
        a->status = database_status(j);
    }
    w->settled[a->how]++;
}

void parked_release(struct node *n)
{
    for (size_t i = 0; i < n->o.n; i++) {
        const struct parked_release *r = &n->o.releases[i];
        struct db_job *j = database_get(n->world, r->job_id);
        if (j->lease != r->lease || j->parking == PARKING_NONE)
            continue;
        if (j->parking == PARKING_RETRY && j->state != JOB_RETRY && j->state != JOB_CLAIMED) {
            j->parking = PARKING_NONE;
            j->in_outbox = j->announced < j->seq;
        } else {
            j->lease_until_us = 0;
            j->ask_at_us = clock_wall_us() + r->wait_us;
        }
    }
}

void parked_sweep(struct db_job *j)
{
    int64_t now = clock_wall_us();
    if (j->state == JOB_IN_DOUBT && j->deadline_us <= now) {
        database_to_outbox(j, JOB_UNKNOWN);
        j->parking = PARKING_UNKNOWN;
    } else if (j->parking == PARKING_RETRY && j->deadline_us + 5 * US_PER_S <= now) {
        if (j->state == JOB_RETRY) {
            database_to_outbox(j, JOB_EXPIRED);
            j->parking = PARKING_NONE;
        } else {
            take_over_retry(j);
        }
    }
}

/* What the other may still be using is not given away, and no more than half of the rest. */
void parked_share(struct node *n)
{
    struct world *w = n->world;
    const struct node *other = &w->nodes[n == &w->nodes[0]];
    int64_t now = clock_boot_us();
    int64_t used = other->share_until_us > now ? other->share : 0;
    int64_t grant = MIN(n->o.rate - used, (n->o.rate + 1) / 2);
    n->o.share = MAX(grant, 0);
    n->share = n->share_until_us > now ? MAX(n->share, n->o.share) : n->o.share;
    n->share_until_us = now + SHARE_US;
}

/* The storm's database: epochs, jobs, notes, outbox; one row at a time, by the contract. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "tests/replay/storm/world.h"

static const char odd[] = "edited by hand";

#define TAKEOVER_US (9 * US_PER_S)   /* start budget, HTTP time-out and margin */
#define NOT_AFTER_US (17 * US_PER_S) /* start budget and signature's life */

struct db_job *database_get(const struct world *w, const char *job_id)
{
    struct db_job *j = NULL;
    HASH_FIND_STR(w->jobs, job_id, j);
    return j;
}

static struct log_record *record_at(struct world *w, int partition, int64_t offset)
{
    if (offset < 0 || offset >= w->logs[partition].end)
        world_fail(w, "%d:%lld is no record", partition, (long long)offset);
    return &w->logs[partition].records[offset];
}

struct job_status database_status(const struct db_job *j)
{
    return (struct job_status){
        .job_id = j->job_id,
        .phone = j->phone,
        .scene = "register",
        .state = j->state,
        .seq = j->seq,
        .attempt = j->attempt,
        .at_us = clock_wall_us(),
    };
}

/* Its record's offset waits for the event, unless a parked row stands for the offset. */
void database_move(struct db_job *j, enum job_state to)
{
    j->state = to;
    j->seq++;
    if (j->parking == PARKING_NONE)
        j->owed = j->seq;
}

void database_to_outbox(struct db_job *j, enum job_state to)
{
    j->state = to;
    j->seq++;
    j->in_outbox = true;
}

/* Another job of its phone is in this state. */
static struct db_job *other_job(struct world *w, const struct log_record *r, enum job_state state)
{
    for (struct db_job *j = w->jobs; j; j = j->hh.next) {
        if (j->phone[13] - '0' == r->phone && j->state == state &&
            strcmp(j->job_id, r->job_id) != 0)
            return j;
    }
    return NULL;
}

/* Another job of its phone is with the provider, or may be. */
static bool is_busy(struct world *w, const struct log_record *r)
{
    for (struct db_job *j = w->jobs; j; j = j->hh.next) {
        bool late = j->state == JOB_UNKNOWN && j->not_after_us > clock_wall_us();
        if (j->phone[13] - '0' == r->phone && strcmp(j->job_id, r->job_id) != 0 &&
            (j->state == JOB_CLAIMED || j->state == JOB_IN_DOUBT || late))
            return true;
    }
    return false;
}

static struct db_job *new_job(struct node *n, const struct log_record *r, size_t i)
{
    struct world *w = n->world;
    struct db_job *j = calloc(1, sizeof(*j));
    if (!j)
        panic("no memory");
    memcpy(j->job_id, r->job_id, sizeof(j->job_id));
    snprintf(j->phone, sizeof(j->phone), "+861380013800%d", r->phone);
    j->partition = n->c.asks[i].partition;
    j->offset = n->c.asks[i].offset;
    j->requested_us = r->requested_us;
    j->deadline_us = r->requested_us + DEADLINE_US;
    HASH_ADD_STR(w->jobs, job_id, j);
    return j;
}

static enum claim_verdict claim_for_sending(struct node *n, struct db_job *j, size_t i,
                                            struct claim_answer *a)
{
    int64_t now = clock_wall_us();
    database_move(j, JOB_CLAIMED);
    j->attempt++;
    j->epoch = n->c.asks[i].epoch;
    j->claimed_us = now;
    j->not_after_us = now + NOT_AFTER_US;
    j->takeover_us = n->c.asks[i].takeover_us = now + TAKEOVER_US;
    memcpy(j->nonce, n->c.asks[i].nonce, sizeof(j->nonce));
    memcpy(j->proof, n->c.asks[i].proof, sizeof(j->proof));
    memcpy(j->key_id, n->c.asks[i].key_id, sizeof(j->key_id));
    memcpy(a->nonce, j->nonce, sizeof(j->nonce));
    memcpy(a->proof, j->proof, sizeof(j->proof));
    memcpy(a->key_id, j->key_id, sizeof(j->key_id));
    a->code_length = 6;
    a->deadline_in_us = j->deadline_us - now;
    a->life_us = 300 * US_PER_S;
    return CLAIM_SEND;
}

static enum claim_verdict claim_waiting(struct node *n, struct db_job *j,
                                        const struct log_record *r, size_t i,
                                        struct claim_answer *a)
{
    struct world *w = n->world;
    if (j->deadline_us <= clock_wall_us()) {
        database_move(j, JOB_EXPIRED);
        return CLAIM_DECIDED;
    }
    if (is_busy(w, r))
        return CLAIM_BUSY;
    struct db_job *other = other_job(w, r, JOB_RETRY);
    if (other && other->requested_us <= j->requested_us)
        database_move(other, JOB_SUPERSEDED);
    return claim_for_sending(n, j, i, a);
}

static enum claim_verdict claim_new(struct node *n, struct log_record *r, size_t i,
                                    struct claim_answer *a)
{
    struct world *w = n->world;
    if (r->kind == RECORD_REFUSED)
        return CLAIM_ROW_REFUSED;
    if (r->requested_us + DEADLINE_US > clock_wall_us() && is_busy(w, r))
        return CLAIM_BUSY;
    struct db_job *j = new_job(n, r, i);
    if (!w->calm && world_chance(w, 10)) {
        database_move(j, JOB_LIMITED);
        return CLAIM_DECIDED;
    }
    return claim_waiting(n, j, r, i, a);
}

static enum claim_verdict claim_known(struct node *n, struct db_job *j, struct log_record *r,
                                      size_t i, struct claim_answer *a)
{
    int64_t now = clock_wall_us();
    a->wait_us = j->takeover_us - now;
    if (j->partition != n->c.asks[i].partition || j->offset != n->c.asks[i].offset) {
        r->duplicate = true;
        return CLAIM_DUPLICATE;
    }
    if (j->state == JOB_RETRY)
        return claim_waiting(n, j, r, i, a);
    if (j->state != JOB_CLAIMED)
        return CLAIM_KNOWN;
    if (now < j->takeover_us)
        return CLAIM_WAIT;
    if (j->unsent_attempt == j->attempt)
        return claim_waiting(n, j, r, i, a);
    database_move(j, JOB_IN_DOUBT);
    parked_park(j);
    return CLAIM_DECIDED;
}

/* Somebody edits its rows by hand, and back again before the storm is over. */
static bool is_odd(struct world *w)
{
    return !w->calm && world_chance(w, 2);
}

static void claim_one(struct node *n, size_t i)
{
    struct world *w = n->world;
    struct claim_answer *a = &n->c.answers[i];
    int partition = n->c.asks[i].partition;
    struct log_record *r = record_at(w, partition, n->c.asks[i].offset);
    *a = (struct claim_answer){.ticket = n->c.asks[i].ticket};
    if (strcmp(r->job_id, n->c.asks[i].job_id) != 0)
        world_fail(w, "%s is asked for as %s", r->job_id, n->c.asks[i].job_id);
    if (w->logs[partition].epoch != n->c.asks[i].epoch) {
        a->verdict = CLAIM_FENCED;
        return;
    }
    if (is_odd(w)) {
        a->verdict = CLAIM_ROW_ODD;
        a->why = odd;
        return;
    }
    struct db_job *j = database_get(w, r->job_id);
    a->verdict = j ? claim_known(n, j, r, i, a) : claim_new(n, r, i, a);
    r->met = true;
    w->logs[partition].next_offset = MAX(w->logs[partition].next_offset, n->c.asks[i].offset + 1);
    j = database_get(w, r->job_id);
    bool says = a->verdict == CLAIM_SEND || a->verdict == CLAIM_DECIDED ||
                a->verdict == CLAIM_KNOWN || a->verdict == CLAIM_DUPLICATE;
    if (says)
        a->status = database_status(j);
}

void database_decide_claims(struct node *n)
{
    struct world *w = n->world;
    for (size_t i = 0; i < n->c.n_epochs; i++) {
        struct log_of *log = &w->logs[n->c.epochs[i].partition];
        log->epoch++;
        n->c.epoch_answers[i] = (struct epoch_answer){.partition = n->c.epochs[i].partition,
                                                      .epoch = log->epoch,
                                                      .next_offset = log->next_offset};
    }
    for (size_t i = 0; i < n->c.n; i++)
        claim_one(n, i);
    n->c.decided = true;
}

static void record_fact(struct db_job *j, const struct outcome *row, bool owner,
                        struct outcome_answer *a)
{
    if (j->state == JOB_SENT) {
        a->duplicate_send = j->accepted_attempt != row->attempt;
        return;
    }
    a->applied = true;
    j->accepted_attempt = row->attempt;
    j->known = true;
    bool waited_for = owner || j->state == JOB_CLAIMED || j->state == JOB_RETRY;
    if (waited_for && j->parking == PARKING_NONE)
        database_move(j, JOB_SENT);
    else
        database_to_outbox(j, JOB_SENT);
    j->parking = PARKING_NONE;
}

static void record_decision(struct db_job *j, const struct outcome *row, struct outcome_answer *a)
{
    bool late = row->state == JOB_RETRY && j->deadline_us <= clock_wall_us();
    a->applied = true;
    database_move(j, late ? JOB_EXPIRED : row->state);
    if (j->state == JOB_IN_DOUBT)
        parked_park(j);
}

static void record_one(struct node *n, size_t i)
{
    struct world *w = n->world;
    const struct outcome *row = &n->o.rows[i];
    struct db_job *j = database_get(w, n->o.job_ids[i]);
    struct outcome_answer *a = &n->o.answers[i];
    *a = (struct outcome_answer){.ticket = row->ticket};
    if (!j)
        world_fail(w, "%s is recorded, but was never claimed", n->o.job_ids[i]);
    if (is_odd(w)) {
        a->odd_row = true;
        a->why = odd;
        return;
    }
    bool owner = j->state == JOB_CLAIMED && j->attempt == row->attempt && j->epoch == row->epoch &&
                 w->logs[j->partition].epoch == row->epoch;
    if (row->state == JOB_SENT)
        record_fact(j, row, owner, a);
    else if (owner)
        record_decision(j, row, a);
    else if (row->state != JOB_IN_DOUBT && row->outcome != ATTEMPT_IN_DOUBT)
        j->unsent_attempt = MAX(j->unsent_attempt, row->attempt);
    a->status = database_status(j);
}

static void note_one(struct world *w, const struct note *n)
{
    struct log_of *log = &w->logs[n->partition];
    int64_t end = n->reason ? n->offset + 1 : n->gap_end;
    for (int64_t o = n->offset; o < end; o++) {
        struct log_record *r = record_at(w, n->partition, o);
        if ((r->kind == RECORD_GAP) != (n->reason == NULL))
            world_fail(w, "%d:%lld is noted as what it is not", (int)n->partition, (long long)o);
        r->noted = r->met = true;
    }
    log->next_offset = MAX(log->next_offset, end);
}

void database_decide_outcomes(struct node *n)
{
    struct world *w = n->world;
    for (size_t i = 0; i < n->o.n && n->o.ask == ASK_RECORD; i++)
        record_one(n, i);
    for (size_t i = 0; i < n->o.n && n->o.ask == ASK_NOTE; i++)
        note_one(w, &n->o.notes[i]);
    for (struct db_job *j = w->jobs; j && n->o.ask == ASK_SWEEP; j = j->hh.next)
        parked_sweep(j);
    if (n->o.ask == ASK_PARKED)
        parked_take(n);
    else if (n->o.ask == ASK_SETTLE)
        parked_settle(n);
    else if (n->o.ask == ASK_RELEASE)
        parked_release(n);
    else if (n->o.ask == ASK_SHARE)
        parked_share(n);
    n->o.decided = true;
}

bool database_is_done(const struct world *w, int partition, int64_t offset)
{
    const struct log_record *r = &w->logs[partition].records[offset];
    if (r->kind == RECORD_GAP)
        return true;
    if (r->kind != RECORD_JOB)
        return r->buried && r->noted;
    if (r->duplicate)
        return true;
    const struct db_job *j = database_get(w, r->job_id);
    bool kept =
        j && (j->parking != PARKING_NONE || (j->state != JOB_CLAIMED && j->state != JOB_RETRY));
    return kept && j->announced >= j->owed;
}

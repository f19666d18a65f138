/*
 * The storm's provider: takes, refuses, or says nothing; and knows what it took. What arrives later
 * than its signature lives is refused, whoever sent it and whatever became of the sender.
 */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "tests/replay/storm/world.h"

#define SIGNATURE_LIFE_US (15 * US_PER_S)
#define RECORD_LAG_S 19 /* below the worker's doubt_grace */

static bool is_stale(const struct send *s)
{
    return clock_boot_us() - s->began_us > SIGNATURE_LIFE_US;
}

static void accept(struct world *w, struct send *s)
{
    struct db_job *j = database_get(w, s->job_id);
    s->accepted = true;
    if (++j->accepted > 1)
        world_fail(w, "%s is sent twice", s->job_id);
    w->sent++;
    if (w->n_records == LOG_MAX)
        return;
    struct sms_record *r = &w->records[w->n_records++];
    *r = (struct sms_record){.at_us = clock_boot_us()};
    r->shown_us = r->at_us + (int64_t)world_random(w, RECORD_LAG_S) * US_PER_S;
    snprintf(r->serial_no, sizeof(r->serial_no), "S-%s", s->job_id);
    snprintf(r->phone, sizeof(r->phone), "%s", j->phone);
}

/* The request is at the provider's: taken, in so many percent. */
static void arrive(struct world *w, struct send *s, unsigned percent)
{
    if (s->arrived)
        return;
    s->arrived = true;
    if (!is_stale(s) && world_chance(w, percent))
        accept(w, s);
}

static void give(struct node *n, size_t i, struct send_result *r)
{
    uint64_t ticket = n->sends[i].ticket;
    r->started_us = n->sends[i].began_us;
    r->signature_age_us = clock_boot_us() - r->started_us;
    n->sends[i] = n->sends[--n->n_sends];
    struct sender_handlers h = pipeline_sender_handlers(n->pipeline);
    h.sent(h.arg, ticket, r);
}

static void check_passed(struct node *n, const struct send *s)
{
    struct world *w = n->world;
    const struct db_job *j = database_get(w, s->job_id);
    struct sender_handlers h = pipeline_sender_handlers(n->pipeline);
    if (j->parking == PARKING_NONE && !n->parts[j->partition].owned)
        world_fail(w, "%s passes the gate without its partition", s->job_id);
    if (clock_wall_us() > s->takeover_us)
        world_fail(w, "%s passes the gate too late", s->job_id);
    if (clock_wall_us() > j->deadline_us)
        world_fail(w, "%s passes the gate after its deadline", s->job_id);
    if (h.gate(h.arg, s->ticket))
        world_fail(w, "%s passes the gate twice", s->job_id);
}

static void ask_gate(struct node *n, size_t i)
{
    struct send *s = &n->sends[i];
    struct sender_handlers h = pipeline_sender_handlers(n->pipeline);
    struct send_result r = {.transport = SEND_NOT_SENT};
    if (!n->world->calm && world_chance(n->world, 10)) {
        give(n, i, &r);
        return;
    }
    if (!h.gate(h.arg, s->ticket)) {
        r.gate_refused = true;
        give(n, i, &r);
        return;
    }
    check_passed(n, s);
    s->gated = true;
    s->gated_us = clock_boot_us();
}

void provider_time_out(struct node *n, size_t i)
{
    struct send_result r = {.transport = SEND_NO_ANSWER};
    if (world_chance(n->world, 50))
        arrive(n->world, &n->sends[i], 50);
    else
        provider_orphan(n->world, &n->sends[i]);
    give(n, i, &r);
}

void provider_step(struct node *n, size_t i)
{
    static const char *const codes[] = {
        "FailedOperation.PhoneNumberInBlacklist",
        "FailedOperation.InsufficientBalanceInSmsPackage",
        "FailedOperation.TemplateIncorrectOrUnapproved",
        "LimitExceeded.PhoneNumberDailyLimit",
        "RequestLimitExceeded",
        "InternalError.OtherError",
        "AuthFailure.SignatureExpire",
    };
    struct world *w = n->world;
    struct send *s = &n->sends[i];
    struct send_result r = {.transport = SEND_ANSWERED, .http_status = 200};
    if (!s->gated) {
        ask_gate(n, i);
        return;
    }
    if (!w->calm && world_chance(w, 10)) {
        provider_time_out(n, i);
        return;
    }
    bool stale = !s->arrived && is_stale(s);
    arrive(w, s, w->calm ? 100 : w->goodwill);
    r.accepted = s->accepted;
    if (r.accepted)
        snprintf(r.serial_no, sizeof(r.serial_no), "S-%s", s->job_id);
    snprintf(r.code, sizeof(r.code), "%s",
             r.accepted ? "Ok"
             : stale    ? "AuthFailure.SignatureExpire"
                        : codes[world_random(w, ARRAY_LEN(codes))]);
    give(n, i, &r);
}

void provider_orphan(struct world *w, const struct send *s)
{
    if (s->arrived || w->n_orphans == ASKS_MAX)
        return;
    struct send *o = &w->orphans[w->n_orphans++];
    *o = *s;
    o->arrives_us = clock_boot_us() + (int64_t)world_random(w, 60) * US_PER_S;
}

void provider_orphans_arrive(struct world *w)
{
    for (size_t i = w->n_orphans; i > 0; i--) {
        struct send *s = &w->orphans[i - 1];
        if (s->arrives_us > clock_boot_us())
            continue;
        arrive(w, s, 80);
        *s = w->orphans[--w->n_orphans];
    }
}

void provider_pause(struct node *n)
{
    for (size_t i = 0; i < n->n_sends; i++) {
        if (n->sends[i].gated && world_chance(n->world, 50))
            arrive(n->world, &n->sends[i], n->world->goodwill);
    }
}

void provider_forget(struct node *n)
{
    for (size_t i = 0; i < n->n_sends; i++) {
        if (n->sends[i].gated)
            provider_orphan(n->world, &n->sends[i]);
    }
    n->n_sends = 0;
}

/* A record that no job of ours explains: too old, or without a meaning. */
static void add_foreign(struct world *w, const struct query *q, struct records_answer *a,
                        struct send_record out[])
{
    struct send_record *r = &out[a->n++];
    *r = (struct send_record){.accepted = world_chance(w, 50)};
    r->at_us = q->since_us + (r->accepted ? 0 : (int64_t)world_random(w, 30) * US_PER_S);
    snprintf(r->serial_no, sizeof(r->serial_no), "F-%u", world_random(w, 1000));
    snprintf(r->code, sizeof(r->code), "%s", r->accepted ? "Ok" : "InternalError.OtherError");
}

void provider_tell_records(struct node *n, size_t i)
{
    struct world *w = n->world;
    const struct query q = n->queries[i];
    struct send_record out[64];
    /* It looked at some moment between the question and the answer. */
    int64_t seen_us = world_chance(w, 50) ? q.asked_us : clock_boot_us();
    struct records_answer a = {.whole = w->calm || world_chance(w, 85), .records = out};
    for (size_t k = 0; k < w->n_records && a.n < 60; k++) {
        const struct sms_record *r = &w->records[k];
        if (strcmp(r->phone, q.phone) != 0 || r->at_us < q.since_us || r->shown_us > seen_us ||
            (!a.whole && world_chance(w, 50)))
            continue;
        struct send_record *to = &out[a.n++];
        *to = (struct send_record){.at_us = r->at_us, .accepted = true, .code = "Ok"};
        snprintf(to->serial_no, sizeof(to->serial_no), "%s", r->serial_no);
    }
    if (!w->calm && world_chance(w, 5))
        add_foreign(w, &q, &a, out);
    if (!a.whole)
        snprintf(a.why, sizeof(a.why), "a page is missing");
    n->queries[i] = n->queries[--n->n_queries];
    struct sender_handlers h = pipeline_sender_handlers(n->pipeline);
    h.records(h.arg, q.ticket, &a);
}

static void query_records(void *self, uint64_t ticket, const struct records_query *q)
{
    struct node *n = self;
    if (n->n_queries == QUERIES_MAX)
        world_fail(n->world, "more than %d queries", QUERIES_MAX);
    struct query *kept = &n->queries[n->n_queries++];
    *kept = (struct query){.ticket = ticket, .since_us = q->since_us, .asked_us = clock_boot_us()};
    snprintf(kept->phone, sizeof(kept->phone), "%s", q->phone);
}

static bool is_ready(void *self)
{
    (void)self;
    return true;
}

/* The claim that lets it go: in time with the rate, and until when others leave it alone. */
static int64_t takeover_of(struct node *n, uint64_t ticket)
{
    struct world *w = n->world;
    for (size_t i = 0; i < CLAIM_BATCH_MAX; i++) {
        if (n->c.asks[i].ticket != ticket)
            continue;
        if (w->n_paced < LOG_MAX)
            w->paced_us[w->n_paced++] = n->c.asks[i].asked_us;
        return n->c.asks[i].takeover_us;
    }
    world_fail(w, "ticket %llu is sent, but was never claimed", (unsigned long long)ticket);
}

static void send_sms(void *self, uint64_t ticket, const struct sms *sms)
{
    struct node *n = self;
    struct world *w = n->world;
    const struct db_job *j = database_get(w, sms->session_context);
    if (!j)
        world_fail(w, "%s is sent, but there is no such job", sms->session_context);
    if (n->n_sends == ASKS_MAX)
        world_fail(w, "more than %d sends", ASKS_MAX);
    if (strcmp(sms->phone, j->phone) != 0)
        world_fail(w, "%s is sent to another phone", j->job_id);
    struct send *s = &n->sends[n->n_sends++];
    *s = (struct send){
        .ticket = ticket, .began_us = clock_boot_us(), .takeover_us = takeover_of(n, ticket)};
    snprintf(s->job_id, sizeof(s->job_id), "%s", sms->session_context);
}

static void probe(void *self)
{
    struct node *n = self;
    n->probe_asked = true;
}

void provider_init(struct node *n)
{
    n->sender = (struct sender){.self = n,
                                .is_ready = is_ready,
                                .send = send_sms,
                                .probe = probe,
                                .query_records = query_records};
}

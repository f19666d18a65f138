/* The storm's provider: takes, refuses, or says nothing; and knows what it took. */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "tests/replay/storm/world.h"

static void accept(struct world *w, const struct send *s)
{
    struct db_job *j = database_get(w, s->job_id);
    if (++j->accepted > 1)
        world_fail(w, "%s is sent twice", s->job_id);
    w->sent++;
}

static void give(struct world *w, size_t i, struct send_result *r)
{
    uint64_t ticket = w->sends[i].ticket;
    r->started_us = w->sends[i].began_us;
    w->sends[i] = w->sends[--w->n_sends];
    struct sender_handlers h = pipeline_sender_handlers(w->pipeline);
    h.sent(h.arg, ticket, r);
}

static void ask_gate(struct world *w, size_t i)
{
    struct send *s = &w->sends[i];
    struct sender_handlers h = pipeline_sender_handlers(w->pipeline);
    struct send_result r = {.transport = SEND_NOT_SENT};
    if (!w->calm && world_chance(w, 10)) {
        give(w, i, &r);
        return;
    }
    if (!h.gate(h.arg, s->ticket)) {
        r.gate_refused = true;
        give(w, i, &r);
        return;
    }
    const struct db_job *j = database_get(w, s->job_id);
    if (!w->logs[j->partition].owned)
        world_fail(w, "%s passes the gate without its partition", s->job_id);
    if (clock_wall_us() > j->takeover_us)
        world_fail(w, "%s passes the gate too late", s->job_id);
    if (h.gate(h.arg, s->ticket))
        world_fail(w, "%s passes the gate twice", s->job_id);
    s->gated = true;
    s->gated_us = clock_boot_us();
}

void provider_time_out(struct world *w, size_t i)
{
    struct send_result r = {.transport = SEND_NO_ANSWER};
    if (world_chance(w, 50))
        accept(w, &w->sends[i]);
    give(w, i, &r);
}

void provider_step(struct world *w, size_t i)
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
    struct send_result r = {.transport = SEND_ANSWERED, .http_status = 200};
    if (!w->sends[i].gated) {
        ask_gate(w, i);
        return;
    }
    if (!w->calm && world_chance(w, 10)) {
        provider_time_out(w, i);
        return;
    }
    r.accepted = w->calm || world_chance(w, w->goodwill);
    if (r.accepted) {
        accept(w, &w->sends[i]);
        snprintf(r.serial_no, sizeof(r.serial_no), "S-%s", w->sends[i].job_id);
    }
    snprintf(r.code, sizeof(r.code), "%s",
             r.accepted ? "Ok" : codes[world_random(w, ARRAY_LEN(codes))]);
    give(w, i, &r);
}

void provider_forget(struct world *w)
{
    for (size_t i = 0; i < w->n_sends; i++) {
        if (w->sends[i].gated && world_chance(w, 50))
            accept(w, &w->sends[i]);
    }
    w->n_sends = 0;
}

static bool is_ready(void *self)
{
    (void)self;
    return true;
}

static void send_sms(void *self, uint64_t ticket, const struct sms *sms)
{
    struct world *w = self;
    const struct db_job *j = database_get(w, sms->session_context);
    if (!j)
        world_fail(w, "%s is sent, but was never claimed", sms->session_context);
    if (w->n_sends == ASKS_MAX)
        world_fail(w, "more than %d sends", ASKS_MAX);
    if (strcmp(sms->phone, j->phone) != 0)
        world_fail(w, "%s is sent to another phone", j->job_id);
    struct send *s = &w->sends[w->n_sends++];
    *s = (struct send){.ticket = ticket, .began_us = clock_boot_us()};
    snprintf(s->job_id, sizeof(s->job_id), "%s", sms->session_context);
}

static void probe(void *self)
{
    struct world *w = self;
    w->probe_asked = true;
}

void provider_init(struct world *w)
{
    w->sender = (struct sender){.self = w, .is_ready = is_ready, .send = send_sms, .probe = probe};
}

/*
 * Sending: the code is derived anew and checked against what the database will accept, put into
 * the template's parameters, and handed to the provider behind the gate. The answer becomes an
 * outcome by provider_verdict.
 */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/crashpoint.h"
#include "common/crypto/code.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/metrics.h"
#include "common/settings/settings.h"
#include "worker/pipeline_parts.h"
#include "worker/provider_verdict.h"

static void decide(struct flight *f, enum attempt_outcome outcome, enum job_state state,
                   enum job_reason reason)
{
    f->outcome.outcome = outcome;
    f->outcome.state = state;
    f->outcome.reason = reason;
}

static void retry(struct flight *f, enum attempt_outcome outcome, enum job_reason reason)
{
    decide(f, outcome, JOB_RETRY, reason);
    f->retry_wait_us = backoff_next_us(&f->retry);
}

/* Not sent, and it did not reach the provider: it will be tried again. */
static void not_sent(struct pipeline *p, struct flight *f, const char *why, enum job_reason reason)
{
    memset(&f->result, 0, sizeof(f->result));
    f->result.transport = SEND_NOT_SENT;
    f->result.started_us = clock_boot_us();
    snprintf(f->result.why, sizeof(f->result.why), "%s", why);
    retry(f, ATTEMPT_NOT_SENT, reason);
    metric_add(p->meters->attempts[ATTEMPT_NOT_SENT], 1);
    if (f->trial) {
        f->trial = false;
        stops_on_trial_over(&p->stops, f->job.scene_name, loop_now_us(p->loop));
    }
    pipeline_on_outcome(p, f);
}

static const struct secret_key *find_key(const struct key_ring *ring, const uint8_t id[4])
{
    for (size_t i = 0; i < ring->n; i++) {
        if (memcmp(ring->keys[i].id, id, 4) == 0)
            return &ring->keys[i];
    }
    return NULL;
}

/* The code that the database has the proof of; false when our keys do not give it. */
static bool derive_checked(const struct settings *s, const struct flight *f,
                           const struct claim_answer *a, char code[CODE_MAX_LENGTH + 1])
{
    const struct secret_key *key = find_key(&s->secrets.code, a->key_id);
    if (!key || a->code_length < CODE_MIN_LENGTH || a->code_length > CODE_MAX_LENGTH)
        return false;
    code_derive(key->bytes, a->nonce, f->job.phone, f->job.scene_name, (unsigned)a->code_length,
                code);
    for (size_t i = 0; i < s->secrets.verify.n; i++) {
        uint8_t proof[SHA256_SIZE];
        code_proof(s->secrets.verify.keys[i].bytes, f->job.phone, f->job.scene_name, code, proof);
        if (crypto_equal(proof, a->proof, sizeof(proof)))
            return true;
    }
    mem_wipe(code, CODE_MAX_LENGTH + 1);
    return false;
}

/* The whole minutes that the SMS names: what is left, rounded, at least 1. */
static int64_t minutes_left(int64_t life_us)
{
    int64_t minutes = (life_us + 30 * US_PER_S) / (60 * US_PER_S);
    return MAX(minutes, 1);
}

static void send_sms(struct pipeline *p, struct flight *f, const char *code, int64_t life_us)
{
    const struct scene *scene = f->job.scene;
    char minutes[8];
    struct sms sms = {
        .phone = f->job.phone,
        .sdk_app_id = scene->sdk_app_id,
        .sign_name = scene->sign_name,
        .template_id = scene->template_id,
        .n_params = scene->n_template_params,
        .session_context = f->job.job_id,
    };
    snprintf(minutes, sizeof(minutes), "%d", (int)minutes_left(life_us));
    for (size_t i = 0; i < scene->n_template_params; i++) {
        const char *param = scene->template_params[i];
        if (strcmp(param, "{code}") == 0)
            param = code;
        else if (strcmp(param, "{minutes}") == 0)
            param = minutes;
        sms.params[i] = param;
    }
    p->ports.sender->send(p->ports.sender->self, f->ticket, &sms);
    CRASHPOINT("send_asked");
}

static void begin_outcome(struct flight *f, const struct claim_answer *a)
{
    if (f->lease || a->status.attempt != f->attempt + 1)
        f->after_doubt = true;
    f->attempt = a->status.attempt;
    f->gated = false;
    f->outcome = (struct outcome){
        .ticket = f->ticket,
        .job_id = f->job.job_id,
        .day_us = a->day_us,
        .partition = f->partition,
        .epoch = f->epoch,
        .attempt = f->attempt,
    };
    memcpy(f->outcome.proof, a->proof, sizeof(f->outcome.proof));
    backoff_reset(&f->busy);
}

void sending_start(struct pipeline *p, struct flight *f, const struct claim_answer *a)
{
    const struct settings *s = pipeline_settings(p);
    int64_t budget_us = s->worker.start_budget * US_PER_S;
    int64_t now = loop_now_us(p->loop);
    char code[CODE_MAX_LENGTH + 1];

    begin_outcome(f, a);
    f->gate_until_us = f->asked_us + MIN(budget_us, a->deadline_in_us);
    flight_move(&p->flights, f, PLACE_SENDING);
    if (!f->part && !f->lease) {
        not_sent(p, f, "the partition went to another worker", REASON_NONE);
        return;
    }
    if (f->over) {
        not_sent(p, f, "it was claimed to be ended, by a clock that is ahead", REASON_NONE);
        return;
    }
    if (!f->trial && stops_hold(&p->stops, f->job.scene_name)) {
        not_sent(p, f, "intake is stopped", REASON_CONFIGURATION);
        return;
    }
    if (!derive_checked(s, f, a, code)) {
        not_sent(p, f, "no key of ours gives the stored proof", REASON_CONFIGURATION);
        const struct stop_cause cause = {
            .account = true,
            .reason = "keys differ",
            .remedy = "give every worker the same SENDCODE_CODE_KEY and SENDCODE_VERIFY_KEY",
            .began_us = now,
        };
        stops_on_refused(&p->stops, f->job.scene_name, &cause, now);
        return;
    }
    send_sms(p, f, code, a->life_us);
    mem_wipe(code, sizeof(code));
}

/* The last moment before bytes leave: still the owner, in time, and the first time. */
bool sending_on_gate(void *arg, uint64_t ticket)
{
    struct pipeline *p = arg;
    struct flight *f = flight_get(&p->flights, ticket);
    if (!f || f->place != PLACE_SENDING || f->gated || clock_boot_us() > f->gate_until_us)
        return false;
    /* A parked job is nobody's: its claim alone, which stands for the budget, lets it go. */
    if (!f->lease && (!f->part || f->part->epoch != f->epoch))
        return false;
    CRASHPOINT("gate_asked");
    f->gated = true;
    CRASHPOINT("gate_passed");
    return true;
}

/* It failed; the others that are under way say nothing of the window after it. */
static void close_window(struct pipeline *p)
{
    window_on_failure(&p->window, (unsigned)p->flights.count[PLACE_SENDING] - 1);
}

static void on_accepted(struct pipeline *p, struct flight *f)
{
    decide(f, ATTEMPT_ACCEPTED, JOB_SENT, REASON_NONE);
    window_on_success(&p->window);
    if (f->published_us >= 0)
        metric_observe_us(p->meters->publish_to_accept, MAX(clock_wall_us() - f->published_us, 0));
}

/* A refusal that an operator must mend: the job is kept, sending stops. */
static void on_config(struct pipeline *p, struct flight *f, bool account, const char *remedy)
{
    const struct stop_cause cause = {.account = account,
                                     .reason = f->result.code,
                                     .remedy = remedy,
                                     .began_us = f->result.started_us};
    retry(f, ATTEMPT_REFUSED, REASON_CONFIGURATION);
    stops_on_refused(&p->stops, f->job.scene_name, &cause, loop_now_us(p->loop));
}

/* Of this number or content; five in a row, of different phones, are the scene's fault. */
static void on_rejected(struct pipeline *p, struct flight *f, enum job_reason reason)
{
    if (stops_on_number_refused(&p->stops, f->job.scene_name, f->job.phone, f->result.code))
        on_config(p, f, false, "five phones in a row were refused alike: is it the scene's fault?");
    else
        decide(f, ATTEMPT_REFUSED, JOB_REJECTED, reason);
}

static void on_not_sent(struct pipeline *p, struct flight *f)
{
    retry(f, ATTEMPT_NOT_SENT, REASON_NONE);
    if (!f->result.gate_refused)
        close_window(p);
}

/* Too often: after a doubt that is evidence that the doubtful message was accepted. */
static void on_too_often(struct pipeline *p, struct flight *f, const struct provider_verdict *v)
{
    if (f->after_doubt) {
        decide(f, ATTEMPT_REFUSED, JOB_IN_DOUBT, REASON_NONE);
        return;
    }
    metric_add(p->meters->limit_drift, 1);
    decide(f, ATTEMPT_REFUSED, JOB_LIMITED, v->reason);
    f->outcome.has_retry_after = v->has_retry_after;
    f->outcome.retry_after = v->retry_after;
}

static void apply(struct pipeline *p, struct flight *f, const struct provider_verdict *v)
{
    switch (v->verdict) {
    case VERDICT_ACCEPTED:
        on_accepted(p, f);
        return;
    case VERDICT_NOT_SENT:
        on_not_sent(p, f);
        return;
    case VERDICT_RETRY:
        retry(f, ATTEMPT_REFUSED, REASON_NONE);
        if (!v->of_clock)
            close_window(p);
        if (v->sign_again)
            f->retry_wait_us = 0;
        return;
    case VERDICT_THROTTLE:
        retry(f, ATTEMPT_REFUSED, REASON_NONE);
        f->retry_wait_us += v->retry_after * US_PER_S;
        close_window(p);
        return;
    case VERDICT_REJECT_NUMBER:
    case VERDICT_REJECT_CONTENT:
    case VERDICT_BUG:
        on_rejected(p, f, v->reason);
        return;
    case VERDICT_REJECT_QUOTA:
        on_too_often(p, f, v);
        return;
    case VERDICT_CONFIG:
        on_config(p, f, v->scope == SCOPE_ACCOUNT, v->remedy);
        return;
    case VERDICT_IN_DOUBT:
        decide(f, ATTEMPT_IN_DOUBT, JOB_IN_DOUBT, REASON_NONE);
        close_window(p);
        return;
    }
    panic("verdict %d", (int)v->verdict);
}

/* What the answer says about a stop: a definite one of another kind ends it, none says nothing. */
static void tell_stops(struct pipeline *p, struct flight *f, const struct provider_verdict *v)
{
    bool refused_for_config = f->outcome.reason == REASON_CONFIGURATION;
    bool definite = v->verdict != VERDICT_NOT_SENT && v->verdict != VERDICT_IN_DOUBT &&
                    v->verdict != VERDICT_RETRY && v->verdict != VERDICT_THROTTLE;
    if (definite && !refused_for_config) {
        if (stops_on_answer(&p->stops, f->job.scene_name, v->verdict == VERDICT_ACCEPTED,
                            f->result.started_us))
            held_wake_stopped(&p->held, p->flights.at[PLACE_HELD]);
    } else if (f->trial && !refused_for_config) {
        stops_on_trial_over(&p->stops, f->job.scene_name, loop_now_us(p->loop));
    }
    f->trial = false;
}

static void fill_evidence(struct flight *f)
{
    f->outcome.duration_us = f->result.duration_us;
    f->outcome.http_status = f->result.http_status;
    f->outcome.provider_code = f->result.code;
    f->outcome.request_id = f->result.request_id;
    f->outcome.serial_no = f->result.serial_no;
    f->outcome.fee = f->result.fee;
}

void sending_on_result(void *arg, uint64_t ticket, const struct send_result *r)
{
    struct pipeline *p = arg;
    struct flight *f = flight_get(&p->flights, ticket);
    if (!f || f->place != PLACE_SENDING)
        panic("the provider answered a request that is not under way");
    CRASHPOINT("send_answered");
    f->result = *r;
    fill_evidence(f);
    const struct verdict_input input = {
        .result = &f->result,
        .resigned = f->resigned,
        .signature_life_us = pipeline_settings(p)->tencent.signature_life * US_PER_S,
    };
    const struct provider_verdict v = provider_verdict(&input);
    apply(p, f, &v);
    f->resigned = v.sign_again;
    tell_stops(p, f, &v);
    metric_add(p->meters->attempts[f->outcome.outcome], 1);
    metric_observe_us(p->meters->stage[STAGE_SEND], r->duration_us);
    pipeline_on_outcome(p, f);
}

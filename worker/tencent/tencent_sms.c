/*
 * Slots hold what is needed when an answer comes: one for each send under way, and two for the
 * queries (of the clock, and to probe). A request's id at the HTTP client is its slot's number.
 */
#include "worker/tencent/tencent_sms.h"

#include <stdio.h>
#include <string.h>

#include "common/backoff.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/crypto/tc3.h"
#include "common/domain/phone.h"
#include "common/err.h"
#include "common/json.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/settings/settings.h"
#include "worker/tencent/answer.h"
#include "worker/tencent/http_client.h"
#include "worker/tencent/provider_clock.h"

#define CONTENT_TYPE "application/json; charset=utf-8"
/* Any well-formed number does: nothing is sent to it. */
#define QUERY_BODY "{\"PhoneNumberSet\":[\"+8613800138000\"]}"
#define CLOCK_RENEW_US (600 * US_PER_S) /* when no other answer did it */
#define N_QUERIES 2

static const char content_type_line[] = "Content-Type: " CONTENT_TYPE;

struct slot {
    uint64_t ticket;
    char phone[PHONE_MAX + 1];
    int64_t started_us; /* boot clock, as all of these; also the moment of signing */
    uint32_t next_free;
};

struct tencent_sms {
    struct sender sender;
    struct sender_handlers handlers;
    struct http_client *http;
    struct provider_clock clock;
    struct loop_timer *clock_timer; /* the next clock query */
    struct backoff clock_backoff;
    struct log_gate clock_gate;
    bool probe_under_way;
    int64_t signature_life_s;
    char *secret_id;
    char *secret_key;
    char *token_line; /* whole header; NULL with fixed keys */
    struct tc3_signer signer;
    struct buf authorization; /* scratch for a request's own headers */
    uint32_t max_in_flight;
    uint32_t first_free;
    struct slot *slots; /* max_in_flight, then the clock query's and the probe's */
};

static uint32_t clock_slot(const struct tencent_sms *t)
{
    return t->max_in_flight;
}

static uint32_t probe_slot(const struct tencent_sms *t)
{
    return t->max_in_flight + 1;
}

/* ---- requests ---- */

static void on_done(void *arg, uint64_t id, const struct http_answer *a);

static bool on_gate(void *arg, uint64_t id)
{
    struct tencent_sms *t = arg;

    return t->handlers.gate(t->handlers.arg, t->slots[id].ticket);
}

/* Signs and posts. action: the whole header line. */
static void post(struct tencent_sms *t, uint32_t slot, const char *action, const void *body,
                 size_t body_len)
{
    int64_t now_us = clock_boot_us();
    const struct tc3_request request = {
        .content_type = CONTENT_TYPE,
        .host = http_client_host(t->http),
        .service = "sms",
        .body = body,
        .body_len = body_len,
        .timestamp = provider_clock_timestamp(&t->clock, t->signature_life_s, now_us),
    };
    char timestamp[48];
    const char *headers[] = {action, timestamp, NULL, t->token_line};
    const struct http_post p = {
        .headers = headers,
        .n_headers = ARRAY_LEN(headers) - (t->token_line ? 0 : 1),
        .body = body,
        .body_len = body_len,
        .id = slot,
        .gate = slot < t->max_in_flight ? on_gate : NULL,
        .done = on_done,
        .arg = t,
    };

    snprintf(timestamp, sizeof(timestamp), "X-TC-Timestamp: %lld", (long long)request.timestamp);
    buf_clear(&t->authorization);
    buf_add_text(&t->authorization, "Authorization: ");
    tc3_authorization(&t->signer, t->secret_id, t->secret_key, &request, &t->authorization);
    headers[2] = buf_text(&t->authorization);
    t->slots[slot].started_us = now_us;
    http_client_post(t->http, &p);
}

static struct json *send_body(const struct sms *sms)
{
    struct json *body = json_new_object();
    struct json *phones = json_new_array();
    struct json *params = json_new_array();

    json_append_text(phones, sms->phone);
    for (size_t i = 0; i < sms->n_params; i++)
        json_append_text(params, sms->params[i]);
    json_add(body, "PhoneNumberSet", phones);
    json_add_text(body, "SmsSdkAppId", sms->sdk_app_id);
    json_add_text(body, "TemplateId", sms->template_id);
    json_add_text(body, "SignName", sms->sign_name);
    json_add(body, "TemplateParamSet", params);
    json_add_text(body, "SessionContext", sms->session_context);
    return body;
}

static void send_sms(void *self, uint64_t ticket, const struct sms *sms)
{
    struct tencent_sms *t = self;
    uint32_t slot = t->first_free;
    struct json *body;
    const char *text;
    size_t len;

    if (!t->clock.is_known || slot == t->max_in_flight)
        panic("a send before ready, or more than %u at once", (unsigned)t->max_in_flight);
    t->first_free = t->slots[slot].next_free;
    t->slots[slot].ticket = ticket;
    snprintf(t->slots[slot].phone, sizeof(t->slots[slot].phone), "%s", sms->phone);

    body = send_body(sms);
    text = json_text(body, &len);
    post(t, slot, "X-TC-Action: SendSms", text, len);
    json_free(body);
}

static void query(struct tencent_sms *t, uint32_t slot)
{
    post(t, slot, "X-TC-Action: DescribePhoneNumberInfo", QUERY_BODY, strlen(QUERY_BODY));
}

static void probe(void *self)
{
    struct tencent_sms *t = self;

    if (t->probe_under_way)
        return;
    t->probe_under_way = true;
    query(t, probe_slot(t));
}

static void query_clock(void *arg)
{
    struct tencent_sms *t = arg;
    int64_t age_us = clock_boot_us() - t->clock.learned_at_us;

    if (t->clock.is_known && age_us < CLOCK_RENEW_US) {
        loop_timer_start(t->clock_timer, CLOCK_RENEW_US - age_us); /* other answers renewed it */
        return;
    }
    query(t, clock_slot(t));
}

static bool is_ready(void *self)
{
    const struct tencent_sms *t = self;

    return t->clock.is_known;
}

/* ---- answers ---- */

/* Each answer that is the provider's own renews the clock. */
static void learn_clock(struct tencent_sms *t, const struct http_answer *a)
{
    if (a->date_s < 0)
        return;
    provider_clock_learn(&t->clock, a->date_s, clock_boot_us());
}

static void finish_send(struct tencent_sms *t, uint32_t slot, const struct http_answer *a)
{
    struct slot *s = &t->slots[slot];
    uint64_t ticket = s->ticket;
    struct send_result r = {
        .http_status = a->status,
        .started_us = s->started_us,
        .duration_us = clock_boot_us() - s->started_us,
    };

    r.signature_age_us = r.duration_us;
    if (a->fate == HTTP_NOT_SENT) {
        r.transport = SEND_NOT_SENT;
        r.gate_refused = a->gate_refused;
        snprintf(r.why, sizeof(r.why), "%s", a->why);
    } else if (a->fate == HTTP_NO_ANSWER) {
        r.transport = SEND_NO_ANSWER;
        snprintf(r.why, sizeof(r.why), "%s", a->why);
    } else if (a->status != 200) {
        r.transport = SEND_NO_ANSWER;
        snprintf(r.why, sizeof(r.why), "HTTP status %d", a->status);
    } else {
        answer_read_send(a->body, a->body_len, s->phone, &r);
        if (r.transport == SEND_ANSWERED)
            learn_clock(t, a);
    }
    s->next_free = t->first_free; /* before the handler, which may send again */
    t->first_free = slot;
    t->handlers.sent(t->handlers.arg, ticket, &r);
}

/* True when the provider answered; code as of answer_read_query. */
static bool read_query(struct tencent_sms *t, const struct http_answer *a, char code[96],
                       char why[160])
{
    code[0] = '\0';
    if (a->fate != HTTP_ANSWERED) {
        snprintf(why, 160, "%s", a->why);
        return false;
    }
    if (a->status != 200) {
        snprintf(why, 160, "HTTP status %d", a->status);
        return false;
    }
    if (!answer_read_query(a->body, a->body_len, code, why))
        return false;
    learn_clock(t, a);
    return true;
}

static void finish_probe(struct tencent_sms *t, const struct http_answer *a)
{
    char code[96];
    char why[160];
    bool answered = read_query(t, a, code, why);

    t->probe_under_way = false;
    if (!answered)
        t->handlers.probed(t->handlers.arg, why);
    else
        t->handlers.probed(t->handlers.arg, code[0] ? code : NULL);
}

static void finish_clock_query(struct tencent_sms *t, const struct http_answer *a)
{
    char code[96];
    char why[160];
    bool was_known = t->clock.is_known;
    bool answered = read_query(t, a, code, why);
    int64_t dropped = 0;

    if (answered && a->date_s >= 0) {
        if (log_gate_reset(&t->clock_gate))
            log_info("the provider answers again");
        backoff_reset(&t->clock_backoff);
        loop_timer_start(t->clock_timer, CLOCK_RENEW_US);
        if (!was_known)
            t->handlers.ready(t->handlers.arg);
        return;
    }
    if (log_gate_open(&t->clock_gate, &dropped))
        log_warn("the provider does not tell its time, asking again",
                 LS("why", answered ? "the answer has no Date" : why), LI("dropped", dropped));
    loop_timer_start(t->clock_timer, backoff_next_us(&t->clock_backoff));
}

static void on_done(void *arg, uint64_t id, const struct http_answer *a)
{
    struct tencent_sms *t = arg;

    if (id == clock_slot(t))
        finish_clock_query(t, a);
    else if (id == probe_slot(t))
        finish_probe(t, a);
    else
        finish_send(t, (uint32_t)id, a);
}

/* ---- from start to end ---- */

static struct http_client *new_http(struct loop *l, const struct settings *s, unsigned max_requests,
                                    struct err *e)
{
    const struct http_client_options options = {
        .endpoint = s->tencent.endpoint,
        .ca_file = s->tencent.ca_file,
        .timeout_us = s->tencent.timeout * US_PER_S,
        .max_requests = max_requests,
        .max_body = ANSWER_MAX_BYTES,
    };
    struct buf region = BUF_INIT;
    const char *headers[] = {
        content_type_line, "X-TC-Version: 2021-01-11", "Accept: application/json", NULL, NULL,
    };
    struct http_client *http;

    buf_add_fmt(&region, "X-TC-Region: %s", s->tencent.region);
    headers[3] = buf_text(&region);
    http = http_client_new(l, &options, headers, e);
    buf_free(&region);
    return http;
}

static void drop_keys(struct tencent_sms *t)
{
    mem_free_secret(t->secret_id);
    mem_free_secret(t->secret_key);
    mem_free_secret(t->token_line);
    t->token_line = NULL;
    mem_wipe(&t->signer, sizeof(t->signer));
}

static void take_keys(struct tencent_sms *t, const struct settings *s)
{
    struct buf token = BUF_INIT;

    t->secret_id = mem_must_strdup(s->secrets.tencent_secret_id);
    t->secret_key = mem_must_strdup(s->secrets.tencent_secret_key);
    if (s->secrets.tencent_token) {
        buf_add_fmt(&token, "X-TC-Token: %s", s->secrets.tencent_token);
        t->token_line = mem_must_strdup(buf_text(&token));
    }
    buf_wipe(&token);
}

void tencent_sms_set_keys(struct tencent_sms *t, const struct settings *s)
{
    drop_keys(t);
    take_keys(t, s);
}

struct tencent_sms *tencent_sms_new(struct loop *l, const struct settings *s,
                                    const struct sender_handlers *h, unsigned max_in_flight,
                                    struct err *e)
{
    struct http_client *http = new_http(l, s, max_in_flight + N_QUERIES, e);
    struct tencent_sms *t;

    if (!http)
        return NULL;
    t = mem_must_alloc(sizeof(*t));
    t->sender = (struct sender){.self = t, .is_ready = is_ready, .send = send_sms, .probe = probe};
    t->handlers = *h;
    t->http = http;
    t->signature_life_s = s->tencent.signature_life;
    take_keys(t, s);
    t->clock_backoff = (struct backoff){.base_us = 200 * US_PER_MS, .cap_us = 5 * US_PER_S};
    t->clock_gate.period_us = 30 * US_PER_S;
    t->clock_timer = loop_timer_new(l, query_clock, t);
    t->max_in_flight = max_in_flight;
    t->slots = mem_must_alloc((max_in_flight + N_QUERIES) * sizeof(struct slot));
    for (uint32_t i = 0; i < max_in_flight; i++)
        t->slots[i].next_free = i + 1; /* the last's is max_in_flight: none */
    query_clock(t);
    return t;
}

void tencent_sms_free(struct tencent_sms *t)
{
    if (!t)
        return;
    http_client_free(t->http);
    loop_timer_free(t->clock_timer);
    drop_keys(t);
    buf_wipe(&t->authorization);
    mem_free(t->slots);
    mem_free(t);
}

const struct sender *tencent_sms_sender(const struct tencent_sms *t)
{
    return &t->sender;
}

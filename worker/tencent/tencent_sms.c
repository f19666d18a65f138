/*
 * The sender: a slot for each send under way holds what is needed when its answer comes, and is its
 * request's id; queries are other modules' (account_queries, records_query).
 */
#include "worker/tencent/tencent_sms.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/domain/phone.h"
#include "common/json.h"
#include "common/mem.h"
#include "worker/tencent/account_queries.h"
#include "worker/tencent/answer.h"
#include "worker/tencent/conversion_report.h"
#include "worker/tencent/receipts_query.h"
#include "worker/tencent/records_query.h"
#include "worker/tencent/signed_client.h"

struct slot {
    uint64_t ticket;
    char phone[PHONE_MAX + 1];
    int64_t started_us; /* boot clock; also the moment of signing */
    uint32_t next_free;
};

struct tencent_sms {
    struct sender sender;
    struct sender_handlers handlers;
    struct signed_client *client;
    struct account_queries *account;
    struct records_queries *records;
    struct receipts_queries *receipts;      /* NULL: nobody asks for them */
    struct conversion_reports *conversions; /* NULL: nobody tells of them */
    uint32_t max_in_flight;
    uint32_t first_free;
    struct slot *slots; /* max_in_flight */
};

/* ---- requests ---- */

static void on_sent(void *arg, uint64_t id, const struct http_answer *a);

static bool on_gate(void *arg, uint64_t id)
{
    struct tencent_sms *t = arg;

    return t->handlers.gate(t->handlers.arg, t->slots[id].ticket);
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

static bool is_ready(void *self)
{
    const struct tencent_sms *t = self;

    return signed_client_clock(t->client)->is_known;
}

static void send_sms(void *self, uint64_t ticket, const struct sms *sms)
{
    struct tencent_sms *t = self;
    uint32_t slot = t->first_free;
    struct json *body = send_body(sms);
    struct signed_request r = {
        .action = "X-TC-Action: SendSms",
        .max_answer = ANSWER_MAX_BYTES,
        .id = slot,
        .gate = on_gate,
        .done = on_sent,
        .arg = t,
    };

    if (!is_ready(t) || slot == t->max_in_flight)
        panic("a send before ready, or more than %u at once", (unsigned)t->max_in_flight);
    t->first_free = t->slots[slot].next_free;
    t->slots[slot].ticket = ticket;
    snprintf(t->slots[slot].phone, sizeof(t->slots[slot].phone), "%s", sms->phone);
    r.body = json_text(body, &r.body_len);
    t->slots[slot].started_us = signed_client_post(t->client, &r);
    json_free(body);
}

static void probe(void *self)
{
    struct tencent_sms *t = self;

    account_queries_probe(t->account);
}

static void query_records(void *self, uint64_t ticket, const struct records_query *q)
{
    struct tencent_sms *t = self;

    records_queries_ask(t->records, ticket, q);
}

/* ---- answers ---- */

static void read_answer(struct tencent_sms *t, const struct slot *s, const struct http_answer *a,
                        struct send_result *r)
{
    char status[160];
    const char *fault = signed_client_fault(a, status);

    if (!fault) {
        answer_read_send(a->body, a->body_len, s->phone, r);
        if (r->transport == SEND_ANSWERED)
            signed_client_learn_clock(t->client, a, s->started_us);
        return;
    }
    r->transport = a->fate == HTTP_NOT_SENT ? SEND_NOT_SENT : SEND_NO_ANSWER;
    r->gate_refused = a->gate_refused;
    snprintf(r->why, sizeof(r->why), "%s", fault);
}

static void on_sent(void *arg, uint64_t id, const struct http_answer *a)
{
    struct tencent_sms *t = arg;
    struct slot *s = &t->slots[id];
    uint64_t ticket = s->ticket;
    struct send_result r = {
        .http_status = a->status,
        .started_us = s->started_us,
        .duration_us = clock_boot_us() - s->started_us,
    };

    r.signature_age_us = r.duration_us;
    read_answer(t, s, a, &r);
    s->next_free = t->first_free; /* before the handler, which may send again */
    t->first_free = (uint32_t)id;
    t->handlers.sent(t->handlers.arg, ticket, &r);
}

/* ---- from start to end ---- */

void tencent_sms_set_keys(struct tencent_sms *t, const struct settings *s)
{
    signed_client_set_keys(t->client, s);
}

struct tencent_sms *tencent_sms_new(struct loop *l, const struct settings *s,
                                    const struct sender_handlers *h, unsigned max_in_flight,
                                    struct err *e)
{
    struct signed_client *client =
        signed_client_new(l, s,
                          max_in_flight + ACCOUNT_QUERIES_MAX + QUERIES_MAX + RECEIPTS_QUERIES_MAX +
                              CONVERSION_REPORTS_MAX,
                          e);
    struct tencent_sms *t;

    if (!client)
        return NULL;
    t = mem_must_alloc(sizeof(*t));
    t->sender = (struct sender){.self = t,
                                .is_ready = is_ready,
                                .send = send_sms,
                                .probe = probe,
                                .query_records = query_records};
    t->handlers = *h;
    t->client = client;
    t->account = account_queries_new(l, client, h);
    t->records = records_queries_new(client, h);
    t->max_in_flight = max_in_flight;
    t->slots = mem_must_alloc(max_in_flight * sizeof(struct slot));
    for (uint32_t i = 0; i < max_in_flight; i++)
        t->slots[i].next_free = i + 1; /* the last's is max_in_flight: none */
    return t;
}

void tencent_sms_free(struct tencent_sms *t)
{
    if (!t)
        return;
    signed_client_free(t->client);
    account_queries_free(t->account);
    records_queries_free(t->records);
    receipts_queries_free(t->receipts);
    conversion_reports_free(t->conversions);
    mem_free(t->slots);
    mem_free(t);
}

const struct sender *tencent_sms_sender(const struct tencent_sms *t)
{
    return &t->sender;
}

struct receipts_provider tencent_sms_receipts(struct tencent_sms *t,
                                              const struct receipts_provider_handlers *h)
{
    t->receipts = receipts_queries_new(t->client, h);
    return receipts_queries_port(t->receipts);
}

struct conversions_provider tencent_sms_conversions(struct tencent_sms *t,
                                                    const struct conversions_provider_handlers *h)
{
    t->conversions = conversion_reports_new(t->client, h);
    return conversion_reports_port(t->conversions);
}

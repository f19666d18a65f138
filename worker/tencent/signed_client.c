/* Signs with TC3 by the provider's clock and posts; keys and token are wiped when they go. */
#include "worker/tencent/signed_client.h"

#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/crypto/tc3.h"
#include "common/mem.h"
#include "common/settings/settings.h"

#define CONTENT_TYPE "application/json; charset=utf-8"

static const char content_type_line[] = "Content-Type: " CONTENT_TYPE;

struct signed_client {
    struct http_client *http;
    struct provider_clock clock;
    int64_t signature_life_s;
    char *secret_id;
    char *secret_key;
    char *token_line; /* whole header; NULL with fixed keys */
    struct tc3_signer signer;
    struct buf authorization; /* scratch for a request's own headers */
};

int64_t signed_client_post(struct signed_client *c, const struct signed_request *r)
{
    int64_t now_us = clock_boot_us();
    const struct tc3_request request = {
        .content_type = CONTENT_TYPE,
        .host = http_client_host(c->http),
        .service = "sms",
        .body = r->body,
        .body_len = r->body_len,
        .timestamp = provider_clock_timestamp(&c->clock, c->signature_life_s, now_us),
    };
    char timestamp[48];
    const char *headers[] = {r->action, timestamp, NULL, c->token_line};
    const struct http_post p = {
        .headers = headers,
        .n_headers = ARRAY_LEN(headers) - (c->token_line ? 0 : 1),
        .body = r->body,
        .body_len = r->body_len,
        .max_answer = r->max_answer,
        .id = r->id,
        .gate = r->gate,
        .done = r->done,
        .arg = r->arg,
    };

    snprintf(timestamp, sizeof(timestamp), "X-TC-Timestamp: %lld", (long long)request.timestamp);
    buf_clear(&c->authorization);
    buf_add_text(&c->authorization, "Authorization: ");
    tc3_authorization(&c->signer, c->secret_id, c->secret_key, &request, &c->authorization);
    headers[2] = buf_text(&c->authorization);
    http_client_post(c->http, &p);
    return now_us;
}

const struct provider_clock *signed_client_clock(const struct signed_client *c)
{
    return &c->clock;
}

void signed_client_learn_clock(struct signed_client *c, const struct http_answer *a,
                               int64_t asked_us)
{
    if (a->date_s < 0)
        return;
    provider_clock_learn(&c->clock, a->date_s, asked_us, clock_boot_us());
}

const char *signed_client_fault(const struct http_answer *a, char why[160])
{
    if (a->fate != HTTP_ANSWERED)
        return a->why;
    if (a->status == 200)
        return NULL;
    snprintf(why, 160, "HTTP status %d", a->status);
    return why;
}

static struct http_client *new_http(struct loop *l, const struct settings *s, unsigned max_requests,
                                    struct err *e)
{
    const struct http_client_options options = {
        .endpoint = s->tencent.endpoint,
        .ca_file = s->tencent.ca_file,
        .timeout_us = s->tencent.timeout * US_PER_S,
        .max_requests = max_requests,
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

static void drop_keys(struct signed_client *c)
{
    mem_free_secret(c->secret_id);
    mem_free_secret(c->secret_key);
    mem_free_secret(c->token_line);
    c->token_line = NULL;
    mem_wipe(&c->signer, sizeof(c->signer));
}

static void take_keys(struct signed_client *c, const struct settings *s)
{
    struct buf token = BUF_INIT;

    c->secret_id = mem_must_strdup(s->secrets.tencent_secret_id);
    c->secret_key = mem_must_strdup(s->secrets.tencent_secret_key);
    if (s->secrets.tencent_token) {
        buf_add_fmt(&token, "X-TC-Token: %s", s->secrets.tencent_token);
        c->token_line = mem_must_strdup(buf_text(&token));
    }
    buf_wipe(&token);
}

void signed_client_set_keys(struct signed_client *c, const struct settings *s)
{
    drop_keys(c);
    take_keys(c, s);
}

struct signed_client *signed_client_new(struct loop *l, const struct settings *s,
                                        unsigned max_requests, struct err *e)
{
    struct http_client *http = new_http(l, s, max_requests, e);
    struct signed_client *c;

    if (!http)
        return NULL;
    c = mem_must_alloc(sizeof(*c));
    c->http = http;
    c->signature_life_s = s->tencent.signature_life;
    take_keys(c, s);
    return c;
}

void signed_client_free(struct signed_client *c)
{
    if (!c)
        return;
    http_client_free(c->http);
    drop_keys(c);
    buf_wipe(&c->authorization);
    mem_free(c);
}

/*
 * Signed requests to the provider: the HTTP client, the account's keys, and the provider's clock by
 * which each request is signed. For this folder: sends, the account's queries, send records.
 */
#ifndef SENDCODE_WORKER_TENCENT_SIGNED_CLIENT_H
#define SENDCODE_WORKER_TENCENT_SIGNED_CLIENT_H

#include "common/base.h"
#include "worker/tencent/http_client.h"
#include "worker/tencent/provider_clock.h"

struct err;
struct loop;
struct settings;
struct signed_client;

/* Everything but arg is copied by the call. */
struct signed_request {
    const char *action; /* the whole header line, "X-TC-Action: …" */
    const void *body;
    size_t body_len;
    size_t max_answer; /* bytes */
    uint64_t id;       /* given back to the callbacks, as in http_client.h */
    bool (*gate)(void *arg, uint64_t id);
    void (*done)(void *arg, uint64_t id, const struct http_answer *a);
    void *arg;
};

/* max_requests: under way at once. Copies what it needs of the settings. */
NODISCARD struct signed_client *signed_client_new(struct loop *l, const struct settings *s,
                                                  unsigned max_requests, struct err *e);
/* Wipes the keys; drops what is under way without a call to done. NULL is fine. */
void signed_client_free(struct signed_client *c);
/* Copied, the former ones wiped. */
void signed_client_set_keys(struct signed_client *c, const struct settings *s);

/* The boot clock at which it was signed and handed over. */
int64_t signed_client_post(struct signed_client *c, const struct signed_request *r);

const struct provider_clock *signed_client_clock(const struct signed_client *c);
/* From an answer that is the provider's own, to what was posted at asked_us. */
void signed_client_learn_clock(struct signed_client *c, const struct http_answer *a,
                               int64_t asked_us);

/* NULL when a holds a body with HTTP status 200; else one sentence, which may lie in why. */
const char *signed_client_fault(const struct http_answer *a, char why[160]);

#endif

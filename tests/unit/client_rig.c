/* The rig of the tests of queries: records_rig, receipts_query_test. */
#include "tests/unit/client_rig.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/loop.h"
#include "common/settings/settings.h"
#include "tests/check.h"
#include "worker/tencent/signed_client.h"

void client_rig_start(struct client_rig *r, int timeout_s, unsigned max_requests,
                      tiny_server_fn *on_request, void *arg)
{
    char endpoint[64], region[] = "ap-guangzhou", id[] = "AKIDTEST", key[] = "secret";
    struct settings s = {0};
    struct err e = {0};

    r->loop = loop_new(&e);
    assert_non_null(r->loop);
    r->server = tiny_server_new(r->loop, on_request, arg);
    snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:%d", tiny_server_port(r->server));
    s.tencent.endpoint = endpoint;
    s.tencent.region = region;
    s.tencent.timeout = timeout_s;
    s.tencent.signature_life = 15;
    s.secrets.tencent_secret_id = id;
    s.secrets.tencent_secret_key = key;
    r->client = signed_client_new(r->loop, &s, max_requests, &e);
    if (!r->client)
        fail_msg("%s", e.text);
}

void client_rig_learn(struct client_rig *r, int64_t date_s)
{
    const struct http_answer told = {.date_s = date_s};

    signed_client_learn_clock(r->client, &told, clock_boot_us());
}

void client_rig_end(struct client_rig *r)
{
    signed_client_free(r->client);
    tiny_server_free(r->server);
    loop_free(r->loop);
}

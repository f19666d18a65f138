/* The sender in front of a server that plays Tencent. */
#include "tests/unit/sms_fixture.h"

#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/loop.h"
#include "common/settings/settings.h"
#include "tests/check.h"

#define GUARD_US (20 * US_PER_S)

static void came(struct fixture *f)
{
    if (f->results + f->ready + f->probed + f->records == f->wanted)
        loop_stop(f->loop);
}

static bool on_gate(void *arg, uint64_t ticket)
{
    struct fixture *f = arg;

    (void)ticket;
    f->gate_calls++;
    return !f->gate_says_no;
}

static void on_sent(void *arg, uint64_t ticket, const struct send_result *r)
{
    struct fixture *f = arg;

    f->last = *r;
    f->last_ticket = ticket;
    f->results++;
    came(f);
}

static void on_probed(void *arg, const char *why)
{
    struct fixture *f = arg;

    f->probed++;
    snprintf(f->probe_why, sizeof(f->probe_why), "%s", why ? why : "");
    came(f);
}

static void on_ready(void *arg)
{
    struct fixture *f = arg;

    f->ready++;
    came(f);
}

static void on_records(void *arg, uint64_t ticket, const struct records_answer *a)
{
    struct fixture *f = arg;

    f->records++;
    f->last_ticket = ticket;
    (void)a;
    came(f);
}

static void on_guard(void *arg)
{
    struct fixture *f = arg;

    loop_stop(f->loop);
}

static void on_request(void *arg, struct tiny_conn *c, const char *head, const char *body)
{
    struct fixture *f = arg;
    char action[64];

    tiny_header(head, "X-TC-Action", action, sizeof(action));
    if (strcmp(action, "SendSms") == 0) {
        f->posts++;
        f->connections_at_post = tiny_server_connections(f->server);
        if (f->on_send)
            f->on_send(f, c, head, body);
        else
            tiny_conn_reply(c, 200, PROVIDER_DATE, OK_ANSWER);
        return;
    }
    if (strcmp(action, "DescribeSendRecordList") == 0) {
        tiny_conn_reply(c, 200, PROVIDER_DATE, "{\"Response\":{\"SendRecordSet\":[]}}");
        return;
    }
    assert_string_equal(action, "DescribePhoneNumberInfo");
    if (f->on_query)
        f->on_query(f, c, head, body);
    else
        tiny_conn_reply(c, 200, PROVIDER_DATE, "{\"Response\":{\"PhoneNumberInfoSet\":[]}}");
}

void fixture_start(struct fixture *f, const struct fixture_options *o)
{
    char endpoint[64], region[] = "ap-guangzhou", id[] = "AKIDTEST", key[] = "secret";
    struct settings s = {0};
    const struct sender_handlers h = {.arg = f,
                                      .gate = on_gate,
                                      .sent = on_sent,
                                      .probed = on_probed,
                                      .ready = on_ready,
                                      .records = on_records};
    struct buf token = BUF_INIT;
    struct err e = {0};

    *f = (struct fixture){.on_query = o->on_query};
    f->loop = loop_new(&e);
    assert_non_null(f->loop);
    f->guard = loop_timer_new(f->loop, on_guard, f);
    f->server = tiny_server_new(f->loop, on_request, f);
    snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:%d", tiny_server_port(f->server));
    s.tencent.endpoint = endpoint;
    s.tencent.region = region;
    s.tencent.timeout = 1;
    s.tencent.signature_life = o->signature_life ? o->signature_life : 15;
    s.secrets.tencent_secret_id = id;
    s.secrets.tencent_secret_key = key;
    if (o->token) {
        buf_add_text(&token, o->token);
        s.secrets.tencent_token = token.data;
    }
    f->sms = tencent_sms_new(f->loop, &s, &h, IN_FLIGHT, &e);
    buf_free(&token);
    if (!f->sms)
        fail_msg("%s", e.text);
    f->sender = tencent_sms_sender(f->sms);
    assert_false(f->sender->is_ready(f->sender->self));
    fixture_run(f, 1);
    assert_int_equal(f->ready, 1);
    assert_true(f->sender->is_ready(f->sender->self));
}

void fixture_end(struct fixture *f)
{
    tencent_sms_free(f->sms);
    tiny_server_free(f->server);
    loop_timer_free(f->guard);
    loop_free(f->loop);
}

void fixture_send(struct fixture *f, uint64_t ticket)
{
    const struct sms sms = {
        .phone = PHONE,
        .sdk_app_id = "1400006666",
        .sign_name = "腾讯云",
        .template_id = "1110",
        .params = {"004370", "5"},
        .n_params = 2,
        .session_context = "job-1",
    };

    f->sender->send(f->sender->self, ticket, &sms);
}

void fixture_run(struct fixture *f, unsigned n)
{
    f->wanted = f->results + f->ready + f->probed + f->records + n;
    loop_timer_start(f->guard, GUARD_US);
    loop_run(f->loop);
    loop_timer_stop(f->guard);
    if (f->results + f->ready + f->probed + f->records != f->wanted)
        fail_msg("no answer came through");
}

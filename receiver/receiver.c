/* Where HTTP, doorman and store meet. */
#include "receiver/receiver.h"

#include <signal.h>
#include <string.h>

#include "common/err.h"
#include "common/httpd.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "receiver/callback.h"
#include "receiver/doorman.h"
#include "receiver/store.h"

/* A hundred receipts are about 30 kB. With max_connections they bound the memory. */
#define BODY_MAX ((size_t)256 << 10)
#define CONNECTIONS_MAX 128
#define ARENA_BLOCK ((size_t)4 << 10)
#define SAY_AGAIN_US (30 * US_PER_S)
#define LAST_ANSWERS_US (100 * US_PER_MS) /* for what was answered last to leave */

struct receiver {
    struct loop *loop;
    struct loop_signal *term, *interrupt, *hangup;
    struct doorman *doorman;
    struct httpd *httpd;
    struct store *store;
    struct loop_timer *last_answers;
    struct log_gate strangers;
    bool ending;
    int exit_code;
};

static void reply(struct http_request *req, int status, const char *text)
{
    http_reply(req, status, "application/json; charset=utf-8", text, strlen(text));
}

static void reply_stored(struct http_request *req)
{
    reply(req, 200, "{\"result\":0,\"errmsg\":\"OK\"}");
}

/* Tencent tries again twice. */
static void reply_later(struct http_request *req)
{
    reply(req, 503, "{\"result\":1,\"errmsg\":\"not stored, try again\"}");
}

static bool may_call(struct receiver *r, struct http_request *req)
{
    int64_t dropped = 0;

    if (strcmp(http_method(req), "POST") != 0 || !doorman_knows_path(r->doorman, http_path(req)))
        return false;
    const char *caller =
        doorman_caller(r->doorman, http_peer(req), http_last_header(req, "X-Forwarded-For"));
    if (doorman_lets_in(r->doorman, caller))
        return true;
    if (log_gate_open(&r->strangers, &dropped))
        log_warn("a callback from an address that [receiver] allow does not name is refused",
                 LS("address", caller), LI("not_logged", dropped));
    return false;
}

static void on_request(void *arg, struct http_request *req)
{
    struct receiver *r = arg;
    struct callback callback = {0};
    size_t len = 0;

    if (!may_call(r, req)) {
        http_reply(req, 404, "text/plain; charset=utf-8", "not found\n", 10);
        return;
    }
    if (!http_header(req, "Content-Length") && !http_header(req, "Transfer-Encoding")) {
        http_reply(req, 411, "text/plain; charset=utf-8", "Content-Length is missing\n", 26);
        return;
    }
    const char *body = http_body(req, &len);
    struct arena *arena = r->ending ? NULL : arena_new(ARENA_BLOCK + len);
    if (!arena || !callback_read(body, len, arena, &callback)) {
        arena_free(arena);
        reply_later(req);
        return;
    }
    store_add(r->store, &callback, arena, req);
}

static void on_done(void *arg, void *ticket, bool stored)
{
    (void)arg;
    if (stored)
        reply_stored(ticket);
    else
        reply_later(ticket);
}

static void on_drained(void *arg)
{
    struct receiver *r = arg;
    loop_timer_start(r->last_answers, LAST_ANSWERS_US);
}

static void on_last_answers_sent(void *arg)
{
    struct receiver *r = arg;
    log_info("drained");
    loop_stop(r->loop);
}

static void on_schema_fault(void *arg, const char *why)
{
    struct receiver *r = arg;
    log_fatal("the database's schema does not fit this program", LS("why", why));
    r->exit_code = EXIT_CONFIGURATION;
    loop_stop(r->loop);
}

static void on_end_signal(void *arg)
{
    struct receiver *r = arg;
    if (r->ending)
        return;
    r->ending = true;
    log_info("draining");
    store_drain(r->store);
}

static void on_hangup(void *arg)
{
    (void)arg;
    log_warn("nothing is read again on SIGHUP: restart the receiver");
}

static int start(struct receiver *r, const struct settings *s, struct err *e)
{
    static const struct httpd_limits limits = {
        .max_body = BODY_MAX,
        .max_header = 16384,
        .timeout_s = 10,
        .max_connections = CONNECTIONS_MAX,
        .request_s = 30,
        .any_method = true,
    };
    const struct store_handlers on_store = {
        .arg = r, .done = on_done, .drained = on_drained, .schema_fault = on_schema_fault};

    r->loop = loop_new(e);
    if (!r->loop)
        return -1;
    r->term = loop_signal_new(r->loop, SIGTERM, on_end_signal, r);
    r->interrupt = loop_signal_new(r->loop, SIGINT, on_end_signal, r);
    r->hangup = loop_signal_new(r->loop, SIGHUP, on_hangup, r);
    r->last_answers = loop_timer_new(r->loop, on_last_answers_sent, r);
    r->strangers = (struct log_gate){.period_us = SAY_AGAIN_US};
    r->doorman = doorman_new(s);
    r->store =
        store_new(r->loop, s->receiver.dsn ? s->receiver.dsn : s->postgres.dsn, &on_store, e);
    if (!r->store)
        return -1;
    r->httpd = httpd_new(r->loop, &limits, on_request, r, e);
    int port = r->httpd ? httpd_listen(r->httpd, s->receiver.listen, e) : -1;
    if (port < 0)
        return -1;
    log_info("callbacks are taken", LS("listen", s->receiver.listen), LI("port", port));
    return 0;
}

static void end(struct receiver *r)
{
    httpd_free(r->httpd);
    store_free(r->store);
    doorman_free(r->doorman);
    loop_signal_free(r->term);
    loop_signal_free(r->interrupt);
    loop_signal_free(r->hangup);
    loop_timer_free(r->last_answers);
    if (r->loop)
        loop_free(r->loop);
}

int receiver_run(struct settings *s)
{
    struct receiver r = {.exit_code = EXIT_DONE};
    struct err e = {0};

    if (start(&r, s, &e) == 0) {
        settings_free(s);
        loop_run(r.loop);
    } else {
        settings_free(s);
        log_fatal("cannot start", LS("why", e.text));
        r.exit_code = EXIT_CONFIGURATION;
    }
    end(&r);
    return r.exit_code;
}

/*
 * sendcode-sandbox: stands in for Tencent Cloud SMS (CONTRACT.md section 9). Prints one line of
 * JSON when it is ready, and ends on SIGTERM or SIGINT.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/buf.h"
#include "common/crypto/crypto.h"
#include "common/err.h"
#include "common/httpd.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/settings/settings.h"
#include "common/streams.h"
#include "sandbox/api.h"
#include "sandbox/broker.h"
#include "sandbox/certificate.h"
#include "sandbox/control.h"
#include "sandbox/json_out.h"
#include "sandbox/ledger_read.h"
#include "sandbox/reporter.h"
#include "sandbox/sandbox.h"

/* Tencent takes 10 MB and closes idle connections after 60 s. */
static const struct httpd_limits api_limits = {
    .max_body = 10u << 20,
    .max_header = 16u << 10,
    .timeout_s = 60,
    .max_connections = 4096,
};

static const struct httpd_limits control_limits = {
    .max_body = 1u << 20,
    .max_header = 16u << 10,
    .timeout_s = 60,
    .max_connections = 256,
};

struct program {
    struct sandbox sandbox;
    struct httpd *api;
    struct httpd *control;
    struct broker *broker;
    struct reporter *reporter;
    struct certificate certificate;
    struct loop_signal *term, *interrupt;
    struct buf receipts_url;
    int port, tls_port, control_port; /* 0: not listening */
};

static void on_stop(void *arg)
{
    struct program *p = arg;
    loop_stop(p->sandbox.loop);
}

static void on_ledger_broken(void *arg, const struct err *e)
{
    struct program *p = arg;
    log_fatal(e->text);
    p->sandbox.exit_code = EXIT_UNREACHABLE;
    loop_stop(p->sandbox.loop);
}

/* Load generators open thousands of connections. */
static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        log_warn("the limit on open files cannot be raised");
}

/* The path is the receiver's secret, which a command line should not show. */
static void start_reporter(struct program *p)
{
    struct options *o = &p->sandbox.options;
    const char *path = getenv("SENDCODE_RECEIPT_PATH");
    if (!o->receipts)
        return;
    bool has_path = strchr(o->receipts + strlen("http://"), '/') != NULL;
    buf_add_text(&p->receipts_url, o->receipts);
    buf_add_text(&p->receipts_url, has_path || !path ? "" : path);
    o->receipts = buf_text(&p->receipts_url);
    p->reporter = reporter_new(&p->sandbox);
}

static int make_sandbox(struct program *p, struct err *e)
{
    struct sandbox *s = &p->sandbox;
    uint64_t seed = s->options.seed;
    if (!s->options.has_seed)
        crypto_random(&seed, sizeof seed);
    s->auth.settings = s->world.settings;
    s->loop = loop_new(e);
    if (!s->loop || ledger_read(&s->store, s->options.ledger, e) < 0 ||
        ledger_open(&s->ledger, s->options.ledger, e) < 0)
        return -1;
    dice_init(&s->dice, seed + s->store.n); /* not the serial numbers of what it read */
    s->store.not_called = NULL;             /* what an earlier sandbox accepted was its to report */
    callbacks_init(&s->callbacks, s->loop);
    answers_init(&s->answers, s->loop, &s->ledger, s->options.clock_skew_s, on_ledger_broken, p);
    start_reporter(p);
    p->term = loop_signal_new(s->loop, SIGTERM, on_stop, p);
    p->interrupt = loop_signal_new(s->loop, SIGINT, on_stop, p);
    return 0;
}

static int listen_all(struct program *p, struct err *e)
{
    const struct options *o = &p->sandbox.options;
    p->api = httpd_new(p->sandbox.loop, &api_limits, api_on_request, &p->sandbox, e);
    p->control = httpd_new(p->sandbox.loop, &control_limits, control_on_request, &p->sandbox, e);
    if (!p->api || !p->control)
        return -1;
    if (o->listen && (p->port = httpd_listen(p->api, o->listen, e)) < 0)
        return err_wrap(e, "--listen");
    if (o->control && (p->control_port = httpd_listen(p->control, o->control, e)) < 0)
        return err_wrap(e, "--control");
    if (!o->tls_listen)
        return 0;
    if (certificate_prepare(&p->certificate, o->tls_dir, e) < 0)
        return -1;
    p->tls_port = httpd_listen_tls(p->api, o->tls_listen, p->certificate.cert_file,
                                   p->certificate.key_file, e);
    return p->tls_port < 0 ? err_wrap(e, "--tls-listen") : 0;
}

static int start(struct program *p, struct err *e)
{
    const struct settings *settings = p->sandbox.world.settings;
    if (make_sandbox(p, e) < 0 || listen_all(p, e) < 0)
        return -1;
    if (!p->sandbox.options.broker)
        return 0;
    p->broker =
        broker_new(settings->topics.jobs, settings->topics.events, settings->topics.dead, e);
    return p->broker ? 0 : -1;
}

/* "key":"scheme://host:port" or "key":null; a wildcard address is said as its loopback one. */
static void add_url(struct buf *out, const char *key, const char *scheme, const char *addr_port,
                    int port)
{
    struct buf url = BUF_INIT;
    if (!addr_port) {
        buf_add_fmt(out, "\"%s\":null,", key);
        return;
    }
    const char *colon = strrchr(addr_port, ':');
    size_t host_len = colon ? (size_t)(colon - addr_port) : 0;
    buf_add_fmt(&url, "%s://", scheme);
    if (host_len == 0 || (host_len == 7 && strncmp(addr_port, "0.0.0.0", 7) == 0))
        buf_add_text(&url, "127.0.0.1");
    else if (host_len == 4 && strncmp(addr_port, "[::]", 4) == 0)
        buf_add_text(&url, "[::1]");
    else
        buf_add(&url, addr_port, host_len);
    buf_add_fmt(&url, ":%d", port);
    json_out_member(out, key, buf_text(&url));
    buf_add_char(out, ',');
    buf_free(&url);
}

static void say_ready(const struct program *p)
{
    const struct options *o = &p->sandbox.options;
    struct buf line = BUF_INIT;
    buf_add_char(&line, '{');
    add_url(&line, "endpoint", "http", o->listen, p->port);
    add_url(&line, "tls_endpoint", "https", o->tls_listen, p->tls_port);
    if (p->certificate.ca_file)
        json_out_member(&line, "ca_file", p->certificate.ca_file);
    else
        buf_add_text(&line, "\"ca_file\":null");
    buf_add_char(&line, ',');
    add_url(&line, "control", "http", o->control, p->control_port);
    if (p->broker)
        json_out_member(&line, "brokers", broker_addresses(p->broker));
    else
        buf_add_text(&line, "\"brokers\":null");
    printf("%s}\n", buf_text(&line));
    fflush(stdout);
    buf_free(&line);
}

static void stop(struct program *p)
{
    struct sandbox *s = &p->sandbox;
    if (s->answers.loop)
        answers_free(&s->answers);
    reporter_free(p->reporter);
    callbacks_free(&s->callbacks);
    receipt_orders_free(&s->orders);
    httpd_free(p->api);
    httpd_free(p->control);
    broker_free(p->broker);
    certificate_free(&p->certificate);
    loop_signal_free(p->term);
    loop_signal_free(p->interrupt);
    if (s->loop)
        loop_free(s->loop);
    ledger_close(&s->ledger);
    faults_clear(&s->faults);
    store_clear(&s->store);
    stats_clear(&s->stats);
    buf_free(&s->scratch);
    buf_wipe(&p->receipts_url);
    mem_wipe(&s->auth, sizeof s->auth);
    world_free(&s->world);
}

static int run(struct program *p)
{
    struct err e = {0};
    struct buf faults = BUF_INIT;
    if (world_load(&p->sandbox.world, p->sandbox.options.config, &faults) < 0) {
        fputs(buf_text(&faults), stderr);
        buf_free(&faults);
        return EXIT_CONFIGURATION;
    }
    buf_free(&faults);
    if (start(p, &e) < 0) {
        log_fatal(e.text);
        return e.class == ERR_TEMP ? EXIT_UNREACHABLE : EXIT_CONFIGURATION;
    }
    say_ready(p);
    loop_run(p->sandbox.loop);
    return p->sandbox.exit_code;
}

int main(int argc, char **argv)
{
    static struct program program = {.sandbox.ledger.fd = -1};
    struct err e = {0};

    streams_open_missing();
    switch (options_parse(&program.sandbox.options, argc, argv, &e)) {
    case OPTIONS_HELP:
        fputs(options_help(), stdout);
        return EXIT_DONE;
    case OPTIONS_BAD:
        fprintf(stderr, "sendcode-sandbox: %s\n", e.text);
        return EXIT_USAGE_ERROR;
    case OPTIONS_RUN:
        break;
    }
    /* Saves four calls of epoll_ctl an answer, half its CPU; libevent's warning about it concerns
     * descriptors that are dup'ed, and here none is. */
    setenv("EVENT_EPOLL_USE_CHANGELIST", "1", 0);
    raise_file_limit();
    int code = run(&program);
    stop(&program);
    return code;
}

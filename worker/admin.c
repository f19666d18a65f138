/* Answers from what the others know; keeps nothing of its own. */
#include "worker/admin.h"

#include <string.h>

#include "common/buf.h"
#include "common/httpd.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/metrics.h"
#include "worker/health.h"
#include "worker/pipeline.h"

#define TEXT_PLAIN "text/plain; charset=utf-8"

struct admin {
    struct httpd *httpd;
    const struct metrics *metrics;
    const struct health *health;
    const struct pipeline *pipeline;
};

static void reply_text(struct http_request *req, int status, const char *text)
{
    http_reply(req, status, TEXT_PLAIN, text, strlen(text));
}

static void reply_metrics(const struct admin *a, struct http_request *req)
{
    struct buf out = BUF_INIT;
    metrics_render(a->metrics, &out);
    http_reply(req, out.failed ? 503 : 200, "text/plain; version=0.0.4; charset=utf-8",
               buf_text(&out), out.len);
    buf_free(&out);
}

static void reply_readiness(const struct admin *a, struct http_request *req)
{
    struct buf why = BUF_INIT;
    health_say(a->health, &why);
    pipeline_say_stops(a->pipeline, &why);
    if (why.len == 0) {
        reply_text(req, 200, "ready\n");
    } else {
        buf_add_char(&why, '\n');
        reply_text(req, 503, buf_text(&why));
    }
    buf_free(&why);
}

static void on_request(void *arg, struct http_request *req)
{
    const struct admin *a = arg;
    const char *path = http_path(req);
    if (strcmp(http_method(req), "GET") != 0)
        reply_text(req, 405, "only GET is answered here\n");
    else if (strcmp(path, "/metrics") == 0)
        reply_metrics(a, req);
    else if (strcmp(path, "/healthz") == 0)
        reply_text(req, 200, "the loop turns\n");
    else if (strcmp(path, "/readyz") == 0)
        reply_readiness(a, req);
    else
        reply_text(req, 404, "there are /metrics, /healthz and /readyz\n");
}

struct admin *admin_new(struct loop *l, const char *listen, const struct metrics *metrics,
                        const struct health *health, const struct pipeline *pipeline, struct err *e)
{
    static const struct httpd_limits limits = {
        .max_body = 1024, .max_header = 8192, .timeout_s = 10, .max_connections = 64};
    struct admin *a = mem_must_alloc(sizeof(*a));
    *a = (struct admin){.metrics = metrics, .health = health, .pipeline = pipeline};
    a->httpd = httpd_new(l, &limits, on_request, a, e);
    int port = a->httpd ? httpd_listen(a->httpd, listen, e) : -1;
    if (port < 0) {
        admin_free(a);
        return NULL;
    }
    log_info("admin pages", LS("listen", listen), LI("port", port));
    return a;
}

void admin_free(struct admin *a)
{
    if (!a)
        return;
    httpd_free(a->httpd);
    mem_free(a);
}

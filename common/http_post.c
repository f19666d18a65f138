/* A POST over evhttp's client; its end is told after the loop's turn, when evhttp is done with it.
 */
#include "common/http_post.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <string.h>

#include "common/buf.h"
#include "common/loop.h"
#include "common/mem.h"

#define PORT_DEFAULT 80
#define ANSWER_MAX (64 << 10)

struct http_post {
    struct loop *loop;
    struct evhttp_connection *connection;
    http_post_fn *fn;
    void *arg;
    int status;
    const char *trouble; /* why there is no answer */
    struct buf answer;
    bool ended; /* its deferred call is on its way, and frees it if it is dropped */
    bool dropped;
};

bool http_post_is_url(const char *url)
{
    struct evhttp_uri *u = evhttp_uri_parse(url);
    if (u == NULL) {
        return false;
    }
    const char *scheme = evhttp_uri_get_scheme(u);
    const char *host = evhttp_uri_get_host(u);
    bool ok = scheme != NULL && strcmp(scheme, "http") == 0 && host != NULL && host[0] != '\0' &&
              evhttp_uri_get_port(u) != 0 && evhttp_uri_get_userinfo(u) == NULL &&
              evhttp_uri_get_query(u) == NULL && evhttp_uri_get_fragment(u) == NULL;
    evhttp_uri_free(u);
    return ok;
}

static void destroy(struct http_post *p)
{
    if (p->connection != NULL) {
        evhttp_connection_free(p->connection);
    }
    buf_free(&p->answer);
    mem_free(p);
}

static void tell(void *arg)
{
    struct http_post *p = arg;
    if (!p->dropped) {
        p->ended = false;
        if (p->status > 0) {
            p->fn(p->arg, p->status, buf_text(&p->answer), p->answer.len);
        } else {
            p->fn(p->arg, 0, p->trouble, strlen(p->trouble));
        }
        return;
    }
    destroy(p);
}

static void end(struct http_post *p)
{
    if (p->ended) {
        return;
    }
    p->ended = true;
    loop_defer(p->loop, tell, p);
}

static void on_error(enum evhttp_request_error error, void *arg)
{
    struct http_post *p = arg;
    switch (error) {
    case EVREQ_HTTP_TIMEOUT:
        p->trouble = "timed out";
        break;
    case EVREQ_HTTP_EOF:
    case EVREQ_HTTP_BUFFER_ERROR:
        p->trouble = "the connection was closed";
        break;
    case EVREQ_HTTP_INVALID_HEADER:
        p->trouble = "the answer is not HTTP";
        break;
    case EVREQ_HTTP_DATA_TOO_LONG:
        p->trouble = "the answer is too long";
        break;
    case EVREQ_HTTP_REQUEST_CANCEL:
        break;
    }
}

/* ev: NULL or without a status when there was no answer. */
static void on_answer(struct evhttp_request *ev, void *arg)
{
    struct http_post *p = arg;
    int status = ev != NULL ? evhttp_request_get_response_code(ev) : 0;
    if (status > 0) {
        struct evbuffer *in = evhttp_request_get_input_buffer(ev);
        size_t len = evbuffer_get_length(in);
        p->status = status;
        if (len > 0) {
            buf_add(&p->answer, evbuffer_pullup(in, -1), len);
        }
    }
    end(p);
}

static void add_headers(struct evhttp_request *request, const char *host, int port)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    struct buf host_port = BUF_INIT;
    buf_add_fmt(&host_port, "%s:%d", host, port);
    evhttp_add_header(headers, "Host", buf_text(&host_port));
    evhttp_add_header(headers, "Content-Type", "application/json");
    evhttp_add_header(headers, "Connection", "close");
    buf_free(&host_port);
}

/* "[::1]" is looked up as "::1". */
static struct evhttp_connection *new_connection(struct loop *l, const char *host, int port)
{
    size_t len = strlen(host);
    bool in_brackets = len > 2 && host[0] == '[';
    struct buf bare = BUF_INIT;
    buf_add(&bare, host + (in_brackets ? 1 : 0), len - (in_brackets ? 2 : 0));
    struct evhttp_connection *connection =
        evhttp_connection_base_new(loop_event_base(l), NULL, buf_text(&bare), (unsigned short)port);
    buf_free(&bare);
    return connection;
}

static void send_request(struct http_post *p, const struct evhttp_uri *u, const void *body,
                         size_t len, int timeout_s)
{
    const char *host = evhttp_uri_get_host(u);
    const char *path = evhttp_uri_get_path(u);
    int port = evhttp_uri_get_port(u) > 0 ? evhttp_uri_get_port(u) : PORT_DEFAULT;
    struct evhttp_request *request = evhttp_request_new(on_answer, p);
    p->connection = new_connection(p->loop, host, port);
    if (request == NULL || p->connection == NULL) {
        panic("out of memory for an HTTP request");
    }
    evhttp_connection_set_timeout(p->connection, timeout_s);
    evhttp_connection_set_max_body_size(p->connection, ANSWER_MAX);
    evhttp_connection_set_max_headers_size(p->connection, ANSWER_MAX);
    evhttp_request_set_error_cb(request, on_error);
    add_headers(request, host, port);
    evbuffer_add(evhttp_request_get_output_buffer(request), body, len);
    if (evhttp_make_request(p->connection, request, EVHTTP_REQ_POST,
                            path != NULL && path[0] != '\0' ? path : "/") != 0) {
        end(p);
    }
}

struct http_post *http_post_start(struct loop *l, const char *url, const void *body, size_t len,
                                  int timeout_s, http_post_fn *fn, void *arg)
{
    struct http_post *p = mem_must_alloc(sizeof(*p));
    *p = (struct http_post){.loop = l, .fn = fn, .arg = arg, .trouble = "cannot connect"};
    struct evhttp_uri *u = evhttp_uri_parse(url);
    if (u == NULL) {
        panic("a POST to what is no URL");
    }
    send_request(p, u, body, len, timeout_s);
    evhttp_uri_free(u);
    return p;
}

void http_post_free(struct http_post *p)
{
    if (p == NULL) {
        return;
    }
    if (p->ended) {
        p->dropped = true;
        return;
    }
    destroy(p);
}

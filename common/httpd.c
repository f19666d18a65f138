/* The HTTP server: listening sockets, one evhttp each, and the count of connections over them. */
#include "common/httpd.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <utlist.h>

#include "common/err.h"
#include "common/httpd_parts.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/text.h"

#define BACKLOG 1024
#define HOST_SIZE 256
#define ACCEPT_PAUSE_US (100 * US_PER_MS)
#define GATE_PERIOD_US (10 * US_PER_S)

/* All that evhttp can read; which of them are allowed, on_request decides. */
#define READABLE_METHODS                                                                           \
    (EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |     \
     EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE | EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH)

/* Of all servers: libevent's error callback knows its listening socket and nothing else. */
static struct listener *listeners;

struct listener {
    struct httpd *server;
    struct evhttp *http; /* owns socket once it is bound */
    struct evconnlistener *socket;
    struct ssl_ctx_st *tls;    /* NULL for plain HTTP */
    struct loop_timer *resume; /* accepting, after a pause */
    struct listener *prev, *next;
};

struct httpd {
    struct loop *loop;
    struct httpd_limits limits;
    httpd_handler *handler;
    void *arg;
    struct http_request *requests; /* not answered yet */
    struct connection *open;
    struct log_gate accept_gate;
    struct log_gate full_gate;
    int connections; /* in `open` */
};

/* A connection that evhttp is just making. */
struct newcomer {
    struct httpd *server; /* valid as long as the connection is */
    struct bufferevent *bev;
};

struct connection {
    struct httpd *server;
    struct evhttp_connection *of;
    struct loop_timer *patience; /* until a request is there; NULL without limit */
    struct connection *prev, *next;
};

struct httpd *httpd_new(struct loop *l, const struct httpd_limits *limits, httpd_handler *handler,
                        void *arg, struct err *e)
{
    struct httpd *h = mem_alloc(sizeof(*h));
    if (h == NULL) {
        err_set(e, ERR_TEMP, ENOMEM, "no memory for an HTTP server");
        return NULL;
    }
    *h = (struct httpd){
        .loop = l,
        .limits = *limits,
        .handler = handler,
        .arg = arg,
        .accept_gate = {.period_us = GATE_PERIOD_US},
        .full_gate = {.period_us = GATE_PERIOD_US},
    };
    return h;
}

void httpd_add_request(struct httpd *h, struct http_request *req)
{
    DL_APPEND(h->requests, req);
}

void httpd_remove_request(struct httpd *h, struct http_request *req)
{
    DL_DELETE(h->requests, req);
}

static struct connection *find_connection(const struct httpd *h, struct evhttp_connection *of)
{
    struct connection *c = NULL;
    DL_SEARCH_SCALAR(h->open, c, of, of);
    return c;
}

/* From here on, and anew from each request, the next one has to come. */
static void start_patience(const struct httpd *h, struct connection *c)
{
    if (c != NULL && c->patience != NULL) {
        loop_timer_start(c->patience, h->limits.request_s * US_PER_S);
    }
}

static void on_patience_over(void *arg)
{
    struct connection *c = arg;
    struct http_request *req = NULL;
    DL_FOREACH(c->server->requests, req)
    {
        if (evhttp_request_get_connection(req->ev) == c->of) {
            start_patience(c->server, c); /* it is we who are slow */
            return;
        }
    }
    evhttp_connection_free(c->of);
}

static void on_request(struct evhttp_request *ev, void *arg)
{
    struct listener *s = arg;
    if (s->server->limits.request_s > 0) {
        start_patience(s->server, find_connection(s->server, evhttp_request_get_connection(ev)));
    }
    struct http_request *req = http_request_new(s->server, ev);
    if (req == NULL) {
        evhttp_send_error(ev, HTTP_SERVUNAVAIL, NULL);
        return;
    }
    if (http_method(req)[0] == '\0' && !s->server->limits.any_method) {
        static const char text[] = "Allowed are GET, POST and DELETE.\n";
        http_set_header(req, "Allow", "GET, POST, DELETE");
        http_reply(req, HTTP_BADMETHOD, "text/plain", text, strlen(text));
        return;
    }
    s->server->handler(s->server->arg, req);
}

static void free_connection(void *arg)
{
    struct connection *c = arg;
    loop_timer_free(c->patience);
    mem_free(c);
}

/* Perhaps from its own timer. */
static void on_connection_closed(struct evhttp_connection *connection, void *arg)
{
    (void)connection;
    struct connection *c = arg;
    DL_DELETE(c->server->open, c);
    c->server->connections--;
    if (c->patience != NULL) {
        loop_timer_stop(c->patience);
    }
    loop_defer(c->server->loop, free_connection, c);
}

static void add_connection(struct httpd *h, struct evhttp_connection *of)
{
    struct connection *c = mem_must_alloc(sizeof(*c));
    *c = (struct connection){.server = h, .of = of};
    DL_APPEND(h->open, c);
    h->connections++;
    evhttp_connection_set_closecb(of, on_connection_closed, c);
    if (h->limits.request_s > 0) {
        c->patience = loop_timer_new(h->loop, on_patience_over, c);
        start_patience(h, c);
    }
}

/*
 * libevent 2.1 has no limit of connections and tells nobody of a new one, but while it lives it is
 * the argument of its bufferevent's callbacks, and bufferevent_free takes it away there.
 */
static void count_newcomer(void *arg)
{
    struct newcomer *n = arg;
    struct httpd *h = n->server;
    void *connection = NULL;
    bufferevent_getcb(n->bev, NULL, NULL, NULL, &connection);
    bufferevent_decref(n->bev);
    mem_free(n);
    if (connection == NULL) {
        return;
    }
    add_connection(h, connection);
    int64_t dropped = 0;
    if (h->connections <= h->limits.max_connections) {
        return;
    }
    if (log_gate_open(&h->full_gate, &dropped)) {
        log_warn("too many HTTP connections, closing the newest",
                 LI("max_connections", h->limits.max_connections), LI("dropped", dropped));
    }
    evhttp_connection_free(connection);
}

/* Called by evhttp for each accepted socket. NULL makes it take a plain bufferevent of its own. */
static struct bufferevent *new_bufferevent(struct event_base *base, void *arg)
{
    struct listener *s = arg;
    struct bufferevent *bev =
        s->tls != NULL ? httpd_tls_connection(s->tls, base) : bufferevent_socket_new(base, -1, 0);
    if (bev == NULL) {
        return NULL;
    }
    struct newcomer *n = mem_must_alloc(sizeof(*n));
    *n = (struct newcomer){.server = s->server, .bev = bev};
    bufferevent_incref(bev);
    loop_defer(s->server->loop, count_newcomer, n);
    return bev;
}

static void resume_accepting(void *arg)
{
    struct listener *s = arg;
    evconnlistener_enable(s->socket);
}

/* Out of file descriptors, say: accept would fail again at once, for ever. */
static void on_accept_error(struct evconnlistener *socket, void *arg)
{
    (void)arg; /* the evhttp */
    int code = errno;
    struct listener *s = NULL;
    DL_SEARCH_SCALAR(listeners, s, socket, socket);
    if (s == NULL) {
        return;
    }
    int64_t dropped = 0;
    if (log_gate_open(&s->server->accept_gate, &dropped)) {
        log_warn("cannot accept HTTP connections", LS("error", strerror(code)),
                 LI("dropped", dropped));
    }
    evconnlistener_disable(socket);
    loop_timer_start(s->resume, ACCEPT_PAUSE_US);
}

static struct evhttp *new_evhttp(struct listener *s)
{
    const struct httpd_limits *limits = &s->server->limits;
    struct evhttp *http = evhttp_new(loop_event_base(s->server->loop));
    if (http == NULL) {
        panic("out of memory for an HTTP server");
    }
    evhttp_set_max_body_size(http, (ev_ssize_t)limits->max_body);
    evhttp_set_max_headers_size(http, (ev_ssize_t)limits->max_header);
    evhttp_set_timeout(http, limits->timeout_s);
    evhttp_set_allowed_methods(http, READABLE_METHODS);
    evhttp_set_default_content_type(http, NULL);
    evhttp_set_gencb(http, on_request, s);
    evhttp_set_bevcb(http, new_bufferevent, s);
    return http;
}

/* Splits "127.0.0.1:80" or "[::1]:80"; NULL when it is neither, else the port's digits. */
static const char *split_address(const char *addr_port, char host[HOST_SIZE])
{
    bool in_brackets = addr_port[0] == '[';
    const char *begin = in_brackets ? addr_port + 1 : addr_port;
    size_t len = strcspn(begin, in_brackets ? "]" : ":");
    const char *colon = begin + len + (in_brackets && begin[len] == ']' ? 1 : 0);
    int64_t port = 0;
    if (len == 0 || len >= HOST_SIZE || *colon != ':' ||
        !text_to_int(colon + 1, 0, UINT16_MAX, &port)) {
        return NULL;
    }
    memcpy(host, begin, len);
    host[len] = '\0';
    return colon + 1;
}

/* The caller frees with freeaddrinfo. */
static struct addrinfo *resolve(const char *addr_port, struct err *e)
{
    char host[HOST_SIZE];
    const char *port = split_address(addr_port, host);
    if (port == NULL) {
        err_set(e, ERR_PERM, 0, "%s is not ADDRESS:PORT, as in 127.0.0.1:9464 or [::1]:9464",
                addr_port);
        return NULL;
    }
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int rc = getaddrinfo(host, port, &hints, &found);
    if (rc != 0) {
        err_set(e, ERR_PERM, rc, "cannot listen on %s: %s", addr_port, gai_strerror(rc));
        return NULL;
    }
    return found;
}

static int bound_port(struct evconnlistener *socket)
{
    struct sockaddr_storage storage = {0};
    socklen_t len = sizeof(storage);
    struct sockaddr_in in;
    if (getsockname(evconnlistener_get_fd(socket), (struct sockaddr *)&storage, &len) != 0) {
        panic("getsockname failed: %s", strerror(errno));
    }
    memcpy(&in, &storage, sizeof(in)); /* the port lies at the same place in sockaddr_in6 */
    return ntohs(in.sin_port);
}

static int listen_on(struct httpd *h, const char *addr_port, struct ssl_ctx_st *tls, struct err *e)
{
    struct addrinfo *addr = resolve(addr_port, e);
    if (addr == NULL) {
        return -1;
    }
    unsigned flags = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE;
    struct evconnlistener *socket = evconnlistener_new_bind(
        loop_event_base(h->loop), NULL, NULL, flags, BACKLOG, addr->ai_addr, (int)addr->ai_addrlen);
    int code = errno;
    freeaddrinfo(addr);
    if (socket == NULL) {
        return err_set(e, ERR_TEMP, code, "cannot listen on %s: %s", addr_port, strerror(code));
    }
    int on = 1; /* accepted sockets inherit it */
    (void)setsockopt(evconnlistener_get_fd(socket), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));

    struct listener *s = mem_must_alloc(sizeof(*s));
    *s = (struct listener){.server = h, .socket = socket, .tls = tls};
    s->resume = loop_timer_new(h->loop, resume_accepting, s);
    s->http = new_evhttp(s);
    if (evhttp_bind_listener(s->http, socket) == NULL) {
        panic("out of memory for an HTTP server");
    }
    evconnlistener_set_error_cb(socket, on_accept_error);
    DL_APPEND(listeners, s);
    return bound_port(socket);
}

int httpd_listen(struct httpd *h, const char *addr_port, struct err *e)
{
    return listen_on(h, addr_port, NULL, e);
}

int httpd_listen_tls(struct httpd *h, const char *addr_port, const char *cert_pem,
                     const char *key_pem, struct err *e)
{
    struct ssl_ctx_st *tls = httpd_tls_new(cert_pem, key_pem, e);
    if (tls == NULL) {
        return -1;
    }
    int port = listen_on(h, addr_port, tls, e);
    if (port < 0) {
        httpd_tls_free(tls);
    }
    return port;
}

static void free_listener(struct listener *s)
{
    DL_DELETE(listeners, s);
    loop_timer_free(s->resume);
    evhttp_free(s->http); /* with its connections and its socket */
    httpd_tls_free(s->tls);
    mem_free(s);
}

void httpd_free(struct httpd *h)
{
    if (h == NULL) {
        return;
    }
    while (h->requests != NULL) {
        http_request_abandon(h->requests);
    }
    struct listener *s = NULL;
    struct listener *next = NULL;
    DL_FOREACH_SAFE(listeners, s, next)
    {
        if (s->server == h) {
            free_listener(s);
        }
    }
    mem_free(h);
}

/* What httpd's own files share: nobody else includes this. */
#ifndef SENDCODE_COMMON_HTTPD_PARTS_H
#define SENDCODE_COMMON_HTTPD_PARTS_H

#include "common/base.h"
#include "common/httpd.h"

struct arena;
struct bufferevent;
struct event_base;
struct evhttp_request;
struct ssl_ctx_st;

struct http_request {
    struct httpd *server;
    struct evhttp_request *ev; /* lives until it is answered, also when its connection is gone */
    struct arena *texts;       /* decoded path and query values; NULL until one is needed */
    struct http_request *prev, *next;
};

/* A request for the handler; NULL when there is no memory. Answering or dropping it frees it. */
struct http_request *http_request_new(struct httpd *h, struct evhttp_request *ev);
/* At the server's end: forgets a request that was never answered. */
void http_request_abandon(struct http_request *req);

/* Of the server: its list of open requests. */
void httpd_add_request(struct httpd *h, struct http_request *req);
void httpd_remove_request(struct httpd *h, struct http_request *req);

NODISCARD struct ssl_ctx_st *httpd_tls_new(const char *cert_pem, const char *key_pem,
                                           struct err *e);
void httpd_tls_free(struct ssl_ctx_st *tls); /* NULL is fine */
/* The server's end of a TLS connection that has no socket yet; NULL when there is no memory. */
struct bufferevent *httpd_tls_connection(struct ssl_ctx_st *tls, struct event_base *base);

#endif

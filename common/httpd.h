/*
 * A small HTTP/1.1 server on the loop, over evhttp with every limit set. Owner of event2/http.h.
 * The handler answers at once or later: it keeps the request and calls one of http_reply,
 * http_reply_cut, http_drop exactly once, also when the client has gone meanwhile.
 */
#ifndef SENDCODE_COMMON_HTTPD_H
#define SENDCODE_COMMON_HTTPD_H

#include "common/base.h"

struct err;
struct loop;
struct httpd;
struct http_request;

struct httpd_limits {
    size_t max_body;     /* bytes; a longer one is answered 413 */
    size_t max_header;   /* bytes, all headers together */
    int timeout_s;       /* of a connection's reads and writes */
    int max_connections; /* further ones are closed at once */
    int request_s;       /* 0, or how long a request may take to come in, however it trickles */
    bool any_method;     /* the handler is called for all methods, not only for those it knows */
};

typedef void httpd_handler(void *arg, struct http_request *req);

/* The handler is called for every path and for GET, POST, DELETE; other methods get 405, unless
 * any_method. */
NODISCARD struct httpd *httpd_new(struct loop *l, const struct httpd_limits *limits,
                                  httpd_handler *handler, void *arg, struct err *e);
/* "127.0.0.1:9464", "[::1]:0"; port 0 takes a free one. Returns the port bound, or -1. */
NODISCARD int httpd_listen(struct httpd *h, const char *addr_port, struct err *e);
/* The same with TLS: PEM files of certificate chain and key. */
NODISCARD int httpd_listen_tls(struct httpd *h, const char *addr_port, const char *cert_pem,
                               const char *key_pem, struct err *e);
/* Not from the handler. Requests not answered yet are gone with it; NULL is fine. */
void httpd_free(struct httpd *h);

const char *http_method(const struct http_request *req); /* "GET", "POST", "DELETE", or "" */
const char *http_path(struct http_request *req);         /* decoded, without query */
/* Percent-decoded ('+' stays '+'); NULL if absent. The first of several with that key. */
const char *http_query(struct http_request *req, const char *key);
/* NULL if absent. Of several lines with that name the first; or the last, which the proxy that is
 * nearest to us wrote. */
const char *http_header(const struct http_request *req, const char *name);
const char *http_last_header(const struct http_request *req, const char *name);
const char *http_peer(const struct http_request *req); /* its address; "" when it has gone */
const char *http_body(struct http_request *req,
                      size_t *len); /* contiguous; lives until the reply */

/*
 * A header for the answer, before http_reply; replaces one of that name. Date, Content-Type and
 * Content-Length are there by themselves.
 */
void http_set_header(struct http_request *req, const char *name, const char *value);
void http_reply(struct http_request *req, int status, const char *content_type, const void *body,
                size_t len);
/* Announces `declared` bytes but sends only len, then closes (sandbox faults). */
void http_reply_cut(struct http_request *req, int status, const char *content_type,
                    const void *body, size_t len, size_t declared);
/* Closes the connection without an answer. */
void http_drop(struct http_request *req);

#endif

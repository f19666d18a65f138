/*
 * HTTP POSTs to one endpoint, many at a time, over libcurl's multi socket interface on the loop.
 * Owner of curl's headers. Its point is to know what certainly did not leave: nothing leaves
 * before the gate says yes, and the gate is asked once a request (curl by itself sends a POST
 * again when a kept connection turns out to be closed; the second time is refused here).
 */
#ifndef SENDCODE_WORKER_TENCENT_HTTP_CLIENT_H
#define SENDCODE_WORKER_TENCENT_HTTP_CLIENT_H

#include "common/base.h"

struct err;
struct loop;
struct http_client;

struct http_client_options {
    const char *endpoint;  /* "https://host[:port]", or http:// for loopback; no path */
    const char *ca_file;   /* certificates trusted besides the system's; NULL or "": none */
    int64_t timeout_us;    /* of a request from the call to its answer */
    unsigned max_requests; /* under way; one more is the caller's bug */
};

enum http_fate {
    HTTP_NOT_SENT,  /* the gate never said yes: certainly nothing left */
    HTTP_NO_ANSWER, /* it may have left; no whole answer came */
    HTTP_ANSWERED,  /* a whole answer, whatever its status */
};

/* Borrowed during the call. */
struct http_answer {
    enum http_fate fate;
    bool gate_refused; /* with HTTP_NOT_SENT */
    int status;        /* 0: none */
    const char *body;
    size_t body_len;
    int64_t date_s;  /* the Date header in Unix seconds, -1 if none */
    const char *why; /* one printable ASCII sentence unless HTTP_ANSWERED */
};

/* Everything is copied by the call. */
struct http_post {
    const char *const *headers; /* "Name: value" */
    size_t n_headers;           /* at most HTTP_POST_HEADERS_MAX */
    const void *body;
    size_t body_len;
    size_t max_answer; /* bytes of its body; a longer one is no answer */
    uint64_t id;       /* given back to the callbacks */
    bool (*gate)(void *arg,
                 uint64_t id); /* NULL: yes. Called inside curl: no call back into this */
    void (*done)(void *arg, uint64_t id, const struct http_answer *a); /* may post again */
    void *arg;
};
#define HTTP_POST_HEADERS_MAX 4

/* fixed_headers: sent with every request; NULL-terminated, copied. Do not add Host. */
NODISCARD struct http_client *http_client_new(struct loop *l, const struct http_client_options *o,
                                              const char *const *fixed_headers, struct err *e);
/* Drops what is under way without a call to done. Not inside a callback. NULL is fine. */
void http_client_free(struct http_client *c);

/* The Host header as it is sent: with the port if it is not the scheme's own. */
const char *http_client_host(const struct http_client *c);

/* Answers through done, never before it returns. */
void http_client_post(struct http_client *c, const struct http_post *p);

#endif

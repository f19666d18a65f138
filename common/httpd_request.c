/* One HTTP request as the handler sees it, and the ways to answer it or not to. */
#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/util.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/clock.h"
#include "common/httpd_parts.h"
#include "common/mem.h"

#define TEXTS_BLOCK 512u

struct http_request *http_request_new(struct httpd *h, struct evhttp_request *ev)
{
    struct http_request *req = mem_alloc(sizeof(*req));
    if (req != NULL) {
        req->server = h;
        req->ev = ev;
        httpd_add_request(h, req);
    }
    return req;
}

static void free_request(struct http_request *req)
{
    httpd_remove_request(req->server, req);
    arena_free(req->texts);
    mem_free(req);
}

void http_request_abandon(struct http_request *req)
{
    if (evhttp_request_get_connection(req->ev) == NULL) {
        evhttp_request_free(req->ev); /* otherwise it dies with its connection */
    }
    free_request(req);
}

const char *http_method(const struct http_request *req)
{
    switch ((unsigned)evhttp_request_get_command(req->ev)) {
    case EVHTTP_REQ_GET:
        return "GET";
    case EVHTTP_REQ_POST:
        return "POST";
    case EVHTTP_REQ_DELETE:
        return "DELETE";
    default:
        return "";
    }
}

/* Percent-decoded copy in the request's arena; NULL on no memory or when it hides a NUL. */
static const char *decode(struct http_request *req, const char *s, size_t len)
{
    if (req->texts == NULL && (req->texts = arena_new(TEXTS_BLOCK)) == NULL) {
        return NULL;
    }
    char *raw = arena_strndup(req->texts, s, len);
    if (raw == NULL || memchr(raw, '%', len) == NULL) {
        return raw;
    }
    size_t size = 0;
    char *decoded = evhttp_uridecode(raw, 0, &size);
    const char *copy = NULL;
    if (decoded != NULL && strlen(decoded) == size) {
        copy = arena_strndup(req->texts, decoded, size);
    }
    free(decoded); /* libevent's, from malloc */
    return copy;
}

const char *http_path(struct http_request *req)
{
    const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(req->ev));
    if (path == NULL || strchr(path, '%') == NULL) {
        return path != NULL ? path : "";
    }
    const char *decoded = decode(req, path, strlen(path));
    return decoded != NULL ? decoded : path;
}

const char *http_query(struct http_request *req, const char *key)
{
    size_t key_len = strlen(key);
    const char *p = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(req->ev));
    while (p != NULL && *p != '\0') {
        size_t len = strcspn(p, "&");
        if (len >= key_len && memcmp(p, key, key_len) == 0) {
            if (len == key_len) {
                return "";
            }
            if (p[key_len] == '=') {
                return decode(req, p + key_len + 1, len - key_len - 1);
            }
        }
        p += len + (p[len] == '&' ? 1 : 0);
    }
    return NULL;
}

const char *http_header(const struct http_request *req, const char *name)
{
    return evhttp_find_header(evhttp_request_get_input_headers(req->ev), name);
}

const char *http_last_header(const struct http_request *req, const char *name)
{
    const struct evkeyval *header = NULL;
    const char *last = NULL;
    TAILQ_FOREACH(header, evhttp_request_get_input_headers(req->ev), next)
    {
        if (evutil_ascii_strcasecmp(header->key, name) == 0) {
            last = header->value;
        }
    }
    return last;
}

const char *http_peer(const struct http_request *req)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(req->ev);
    char *address = NULL;
    ev_uint16_t port = 0;
    if (connection != NULL) {
        evhttp_connection_get_peer(connection, &address, &port);
    }
    return address != NULL ? address : "";
}

const char *http_body(struct http_request *req, size_t *len)
{
    struct evbuffer *in = evhttp_request_get_input_buffer(req->ev);
    *len = evbuffer_get_length(in);
    const char *body = *len > 0 ? (const char *)evbuffer_pullup(in, -1) : "";
    if (body == NULL) { /* no memory to make it contiguous */
        *len = 0;
        body = "";
    }
    return body;
}

void http_set_header(struct http_request *req, const char *name, const char *value)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req->ev);
    evhttp_remove_header(headers, name);
    if (evhttp_add_header(headers, name, value) != 0) {
        panic("the header %s cannot be sent", name);
    }
}

/* The Date header's text; made anew once a second. */
static const char *date_now(void)
{
    static char text[64];
    static int64_t of;
    int64_t second = clock_wall_us() / US_PER_S;
    if (second != of) {
        time_t t = second;
        struct tm tm;
        if (gmtime_r(&t, &tm) != NULL && evutil_date_rfc1123(text, sizeof(text), &tm) > 0) {
            of = second;
        }
    }
    return text;
}

void http_reply(struct http_request *req, int status, const char *content_type, const void *body,
                size_t len)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req->ev);
    if (evhttp_find_header(headers, "Date") == NULL) {
        evhttp_add_header(headers, "Date", date_now());
    }
    evhttp_add_header(headers, "Content-Type", content_type);
    evbuffer_add(evhttp_request_get_output_buffer(req->ev), body, len);
    evhttp_send_reply(req->ev, status, NULL, NULL);
    free_request(req);
}

/* evhttp closes after this answer as if the header had been sent, which it was not. */
static void close_after_answer(struct evhttp_request *ev, void *arg)
{
    (void)arg;
    evhttp_add_header(evhttp_request_get_output_headers(ev), "Connection", "close");
}

void http_reply_cut(struct http_request *req, int status, const char *content_type,
                    const void *body, size_t len, size_t declared)
{
    char text[24];
    snprintf(text, sizeof(text), "%zu", declared);
    http_set_header(req, "Content-Length", text);
    evhttp_request_set_on_complete_cb(req->ev, close_after_answer, NULL);
    http_reply(req, status, content_type, body, len);
}

void http_drop(struct http_request *req)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(req->ev);
    if (connection == NULL) {
        evhttp_request_free(req->ev);
    } else {
        evhttp_connection_free(connection); /* and with it the request */
    }
    free_request(req);
}

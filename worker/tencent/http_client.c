/*
 * Requests over libcurl. Easy handles are pooled and set up once; a request changes only body,
 * headers and callbacks.
 */
#include "worker/tencent/http_client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/mem.h"
#include "worker/tencent/http_client_multi.h"

#define CONNECT_TIMEOUT_MAX_US (3 * US_PER_S)
#define IDLE_CONNECTION_MAX_S 50L /* Tencent closes idle connections at 60 */
#define CONNECTION_LIFETIME_S 600L
#define RECEIVE_BUFFER 4096L
#define ANSWER_KEPT_MAX                                                                            \
    65536 /* of memory, for the next answer; a list of records may take more                       \
           */
#define SYSTEM_CA_PATH "/etc/ssl/certs"

struct exchange {
    CURL *easy;
    struct http_client *client;
    struct exchange *next_free;
    struct curl_slist nodes[HTTP_POST_HEADERS_MAX]; /* the last leads to the fixed headers */
    struct buf lines[HTTP_POST_HEADERS_MAX];
    struct buf body;
    struct buf answer;
    uint64_t id;
    bool (*gate)(void *arg, uint64_t id);
    void (*done)(void *arg, uint64_t id, const struct http_answer *a);
    void *arg;
    bool under_way;
    bool gate_said_yes;
    bool gate_refused;
    bool asked_again;
    bool too_long;
    char error[CURL_ERROR_SIZE];
};

struct http_client {
    struct http_multi *multi;
    struct curl_slist *fixed_headers;
    struct exchange **exchanges; /* all that were made: max_requests and one that is ending */
    unsigned n_exchanges;
    unsigned max_requests;
    struct exchange *free_exchanges;
    int64_t timeout_us;
    char *url;
    char *host;
    char *ca_file;
    bool is_tls;
    char date_text[64]; /* the last Date header read, and what it means */
    int64_t date_s;
};

/* Last moment before bytes leave, once for each time that curl means to send them. */
static int on_before_request(void *arg, char *remote_ip, char *local_ip, int remote_port,
                             int local_port)
{
    struct exchange *x = arg;

    (void)remote_ip;
    (void)local_ip;
    (void)remote_port;
    (void)local_port;
    if (x->gate_said_yes || x->gate_refused) {
        x->asked_again = true;
        return CURL_PREREQFUNC_ABORT;
    }
    if (x->gate && !x->gate(x->arg, x->id)) {
        x->gate_refused = true;
        return CURL_PREREQFUNC_ABORT;
    }
    x->gate_said_yes = true;
    return CURL_PREREQFUNC_OK;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
    struct exchange *x = arg;

    buf_add(&x->answer, data, size * n);
    if (x->answer.failed) {
        x->too_long = true;
        return 0;
    }
    return size * n;
}

static void set_up_easy(struct exchange *x)
{
    struct http_client *c = x->client;
    int64_t connect_us = MIN(c->timeout_us, CONNECT_TIMEOUT_MAX_US);
    CURL *h = x->easy;

    curl_easy_setopt(h, CURLOPT_URL, c->url);
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, c->is_tls ? "https" : "http");
    if (!c->is_tls)
        curl_easy_setopt(h, CURLOPT_PROXY, ""); /* loopback: never through a proxy */
    curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(h, CURLOPT_POST, 1L);
    curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    /* Else the end of a request waits, and the loop with it, for a name server that hangs: the
     * resolver's thread is left to end by itself. */
    curl_easy_setopt(h, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(h, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(h, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER);
    curl_easy_setopt(h, CURLOPT_MAXAGE_CONN, IDLE_CONNECTION_MAX_S);
    curl_easy_setopt(h, CURLOPT_MAXLIFETIME_CONN, CONNECTION_LIFETIME_S);
    curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)(c->timeout_us / US_PER_MS));
    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)(connect_us / US_PER_MS));
    curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 2L);
    if (c->ca_file) {
        /* The file takes the place of curl's bundle; the directory keeps the system's trusted. */
        curl_easy_setopt(h, CURLOPT_CAINFO, c->ca_file);
        curl_easy_setopt(h, CURLOPT_CAPATH, SYSTEM_CA_PATH);
    }
    curl_easy_setopt(h, CURLOPT_HTTPHEADER, x->nodes);
    curl_easy_setopt(h, CURLOPT_ERRORBUFFER, x->error);
    curl_easy_setopt(h, CURLOPT_PRIVATE, x);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, x);
    curl_easy_setopt(h, CURLOPT_PREREQFUNCTION, on_before_request);
    curl_easy_setopt(h, CURLOPT_PREREQDATA, x);
    http_multi_set_up(c->multi, h);
}

static struct exchange *take_exchange(struct http_client *c)
{
    struct exchange *x = c->free_exchanges;

    if (x) {
        c->free_exchanges = x->next_free;
        return x;
    }
    if (c->n_exchanges > c->max_requests)
        panic("more than %u requests under way to the provider", c->max_requests);
    x = mem_must_alloc(sizeof(*x));
    x->client = c;
    x->easy = curl_easy_init();
    if (!x->easy)
        panic("no memory for a request to the provider");
    set_up_easy(x);
    c->exchanges[c->n_exchanges++] = x;
    return x;
}

static void wipe_bytes(struct buf *b)
{
    mem_wipe(b->data, b->len);
    buf_clear(b);
}

/* Keeps the memory, but not the bytes: they hold a code, a signature and perhaps a token. */
static void wipe_request(struct exchange *x)
{
    for (size_t i = 0; i < HTTP_POST_HEADERS_MAX; i++)
        wipe_bytes(&x->lines[i]);
    wipe_bytes(&x->body);
}

void http_client_post(struct http_client *c, const struct http_post *p)
{
    struct exchange *x = take_exchange(c);

    if (p->n_headers == 0 || p->n_headers > HTTP_POST_HEADERS_MAX)
        panic("%zu headers of a request's own", p->n_headers);
    for (size_t i = 0; i < p->n_headers; i++) {
        buf_add_text(&x->lines[i], p->headers[i]);
        x->nodes[i].data = x->lines[i].data;
        x->nodes[i].next = i + 1 < p->n_headers ? &x->nodes[i + 1] : c->fixed_headers;
        if (x->lines[i].failed)
            panic("no memory for a request to the provider");
    }
    buf_add(&x->body, p->body, p->body_len);
    if (x->body.failed)
        panic("no memory for a request to the provider");
    curl_easy_setopt(x->easy, CURLOPT_POSTFIELDSIZE, (long)x->body.len);
    curl_easy_setopt(x->easy, CURLOPT_POSTFIELDS, x->body.data);
    x->answer.max = p->max_answer;
    x->id = p->id;
    x->gate = p->gate;
    x->done = p->done;
    x->arg = p->arg;
    x->gate_said_yes = x->gate_refused = x->asked_again = x->too_long = false;
    x->error[0] = '\0';
    x->under_way = true;
    http_multi_add(c->multi, x->easy);
}

/* The Date header in Unix seconds, or -1. All answers of one second have the same. */
static int64_t read_date(struct http_client *c, CURL *easy)
{
    struct curl_header *h;

    if (curl_easy_header(easy, "Date", 0, CURLH_HEADER, -1, &h) != CURLHE_OK)
        return -1;
    if (strlen(h->value) >= sizeof(c->date_text))
        return -1;
    if (strcmp(h->value, c->date_text) != 0) {
        snprintf(c->date_text, sizeof(c->date_text), "%s", h->value);
        c->date_s = curl_getdate(c->date_text, NULL);
    }
    return c->date_s;
}

static const char *say_why(struct exchange *x, CURLcode rc)
{
    if (x->gate_refused)
        return "refused by our own gate";
    if (x->asked_again)
        return "the connection was closed before an answer came";
    if (x->too_long)
        return "the answer is too long";
    if (x->error[0] == '\0')
        snprintf(x->error, sizeof(x->error), "%s", curl_easy_strerror(rc));
    for (char *p = x->error; *p; p++)
        if (*p < ' ' || *p > '~')
            *p = '?';
    return x->error;
}

static void on_transfer_done(void *arg, CURL *easy, CURLcode rc)
{
    struct http_client *c = arg;
    struct exchange *x = NULL;
    struct http_answer a = {.fate = HTTP_NOT_SENT, .date_s = -1};
    long status = 0;

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &x);
    a.gate_refused = x->gate_refused;

    http_multi_remove(c->multi, x->easy);
    x->under_way = false;
    if (x->gate_said_yes) {
        curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
        a.fate = rc == CURLE_OK ? HTTP_ANSWERED : HTTP_NO_ANSWER;
        a.status = (int)status;
        a.date_s = read_date(c, x->easy);
        a.body = buf_text(&x->answer);
        a.body_len = x->answer.len;
    }
    if (a.fate != HTTP_ANSWERED)
        a.why = say_why(x, rc);
    wipe_request(x);
    x->done(x->arg, x->id, &a);

    if (x->answer.cap > ANSWER_KEPT_MAX)
        buf_free(&x->answer);
    else
        buf_clear(&x->answer);
    x->next_free = c->free_exchanges;
    c->free_exchanges = x;
}

/* Takes the endpoint apart: url and host as they are sent. */
static int read_endpoint(struct http_client *c, const char *endpoint, struct err *e)
{
    CURLU *u = curl_url();
    char *scheme = NULL, *host = NULL, *port = NULL, *path = NULL, *query = NULL, *user = NULL;
    struct buf out = BUF_INIT;
    int result = -1;

    if (!u || curl_url_set(u, CURLUPART_URL, endpoint, 0) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_PATH, &path, 0) != CURLUE_OK || strcmp(path, "/") != 0 ||
        curl_url_get(u, CURLUPART_QUERY, &query, 0) == CURLUE_OK ||
        curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_OK ||
        (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0)) {
        err_set(e, ERR_PERM, 0, "the endpoint must be https://HOST or https://HOST:PORT");
        goto done;
    }
    c->is_tls = strcmp(scheme, "https") == 0;
    buf_add_text(&out, host);
    if (curl_url_get(u, CURLUPART_PORT, &port, CURLU_NO_DEFAULT_PORT) == CURLUE_OK)
        buf_add_fmt(&out, ":%s", port);
    c->host = mem_must_strdup(buf_text(&out));
    buf_clear(&out);
    buf_add_fmt(&out, "%s://%s/", scheme, c->host);
    c->url = mem_must_strdup(buf_text(&out));
    result = 0;
done:
    buf_free(&out);
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_free(path);
    curl_free(query);
    curl_free(user);
    curl_url_cleanup(u);
    return result;
}

static void add_fixed_header(struct http_client *c, const char *line)
{
    struct curl_slist *longer = curl_slist_append(c->fixed_headers, line);

    if (!longer)
        panic("no memory for the headers of requests");
    c->fixed_headers = longer;
}

static void make_fixed_headers(struct http_client *c, const char *const *lines)
{
    struct buf host = BUF_INIT;

    buf_add_fmt(&host, "Host: %s", c->host); /* said, not left to curl: it is signed */
    add_fixed_header(c, buf_text(&host));
    buf_free(&host);
    add_fixed_header(c, "Expect:"); /* curl's own "100-continue" is left out */
    for (; *lines; lines++)
        add_fixed_header(c, *lines);
}

struct http_client *http_client_new(struct loop *l, const struct http_client_options *o,
                                    const char *const *fixed_headers, struct err *e)
{
    struct http_client *c = mem_must_alloc(sizeof(*c));

    curl_global_init(CURL_GLOBAL_DEFAULT);
    c->timeout_us = o->timeout_us;
    c->max_requests = o->max_requests;
    c->date_s = -1;
    c->exchanges = mem_must_alloc((o->max_requests + 1) * sizeof(struct exchange *));
    if (read_endpoint(c, o->endpoint, e) != 0)
        goto fail;
    if (o->ca_file && *o->ca_file) {
        if (access(o->ca_file, R_OK) != 0) {
            err_set(e, ERR_PERM, errno, "ca_file %s cannot be read: %s", o->ca_file,
                    strerror(errno));
            goto fail;
        }
        c->ca_file = mem_must_strdup(o->ca_file);
    }
    make_fixed_headers(c, fixed_headers);
    c->multi = http_multi_new(l, o->max_requests, o->timeout_us, on_transfer_done, c);
    return c;
fail:
    http_client_free(c);
    return NULL;
}

void http_client_free(struct http_client *c)
{
    if (!c)
        return;
    for (unsigned i = 0; i < c->n_exchanges; i++) {
        struct exchange *x = c->exchanges[i];
        if (x->under_way)
            http_multi_remove(c->multi, x->easy);
        curl_easy_cleanup(x->easy);
        for (size_t j = 0; j < HTTP_POST_HEADERS_MAX; j++)
            buf_wipe(&x->lines[j]);
        buf_wipe(&x->body);
        buf_free(&x->answer);
        mem_free(x);
    }
    http_multi_free(c->multi);
    curl_slist_free_all(c->fixed_headers);
    mem_free(c->exchanges);
    mem_free(c->url);
    mem_free(c->host);
    mem_free(c->ca_file);
    mem_free(c);
    curl_global_cleanup();
}

const char *http_client_host(const struct http_client *c)
{
    return c->host;
}

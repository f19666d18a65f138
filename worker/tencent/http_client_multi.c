/*
 * curl's multi socket interface. A connection's descriptor stays registered with the loop from its
 * opening to its closing, whatever curl says in between: that saves the system calls of two
 * registrations a request. We open and close the sockets ourselves, so a descriptor's number means
 * one connection for as long as it is in the table.
 */
#include "worker/tencent/http_client_multi.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uthash.h>

#include "common/loop.h"
#include "common/mem.h"

/* A descriptor that curl wants watched. */
struct watch {
    int fd;
    bool is_connection; /* opened by on_open_socket: lives until on_close_socket */
    bool wanted;        /* curl waits for it; else an idle connection */
    unsigned events;    /* as registered */
    struct loop_io *io;
    struct http_multi *multi;
    UT_hash_handle hh;
};

struct http_multi {
    struct loop *loop;
    CURLM *curl;
    struct loop_timer *timer;
    struct watch *watches; /* by descriptor */
    struct watch *busy;    /* the one whose callback runs */
    int64_t user_timeout_us;
    http_multi_done_fn *done;
    void *arg;
};

static void tell_finished(struct http_multi *m)
{
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(m->curl, &left)))
        m->done(m->arg, msg->easy_handle, msg->data.result);
}

static void on_ready(void *arg, unsigned ready)
{
    struct watch *w = arg;
    struct http_multi *m = w->multi;
    int running;
    int action =
        (ready & LOOP_READ ? CURL_CSELECT_IN : 0) | (ready & LOOP_WRITE ? CURL_CSELECT_OUT : 0);

    if (!w->wanted) {
        /* The server closed an idle connection: curl finds out when it wants it again. */
        w->events = 0;
        loop_io_set(w->io, 0);
        return;
    }
    m->busy = w;
    curl_multi_socket_action(m->curl, w->fd, action, &running);
    m->busy = NULL;
    tell_finished(m);
}

static void on_timeout(void *arg)
{
    struct http_multi *m = arg;
    int running;

    curl_multi_socket_action(m->curl, CURL_SOCKET_TIMEOUT, 0, &running);
    tell_finished(m);
}

static int on_timer_change(CURLM *curl, long timeout_ms, void *arg)
{
    struct http_multi *m = arg;

    (void)curl;
    if (timeout_ms < 0)
        loop_timer_stop(m->timer);
    else
        loop_timer_start(m->timer, timeout_ms * US_PER_MS);
    return 0;
}

static struct watch *watch_add(struct http_multi *m, int fd, bool is_connection)
{
    struct watch *w = mem_must_alloc(sizeof(*w));

    w->fd = fd;
    w->is_connection = is_connection;
    w->multi = m;
    HASH_ADD_INT(m->watches, fd, w);
    return w;
}

static void free_io(void *io)
{
    loop_io_free(io);
}

static void watch_remove(struct watch *w)
{
    struct http_multi *m = w->multi;

    HASH_DEL(m->watches, w);
    if (w->io && w == m->busy) {
        loop_io_set(w->io, 0); /* before its descriptor is closed */
        loop_defer(m->loop, free_io, w->io);
    } else {
        loop_io_free(w->io);
    }
    mem_free(w);
}

static struct watch *watch_find(struct http_multi *m, int fd)
{
    struct watch *w;

    HASH_FIND_INT(m->watches, &fd, w);
    return w;
}

static int on_socket_change(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct http_multi *m = arg;
    struct watch *w = watch_find(m, fd);
    unsigned events =
        (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0);

    (void)easy;
    (void)socket_arg;
    if (what == CURL_POLL_REMOVE) {
        if (w && w->is_connection)
            w->wanted = false;
        else if (w)
            watch_remove(w);
        return 0;
    }
    if (!w)
        w = watch_add(m, fd, false); /* the resolver's */
    w->wanted = true;
    if (!w->io)
        w->io = loop_io_new(m->loop, fd, events, on_ready, w);
    else if (w->events != events)
        loop_io_set(w->io, events);
    w->events = events;
    return 0;
}

static curl_socket_t on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct http_multi *m = arg;
    int fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);

    (void)purpose;
    if (fd < 0)
        return CURL_SOCKET_BAD;
    watch_add(m, fd, true);
    return fd;
}

static int on_close_socket(void *arg, curl_socket_t fd)
{
    struct watch *w = watch_find(arg, fd);

    if (w)
        watch_remove(w);
    return close(fd);
}

/* Bytes that wait in the kernel die with the request's time-out (DESIGN.md section 5). */
static int on_socket_options(void *arg, curl_socket_t fd, curlsocktype purpose)
{
    const struct http_multi *m = arg;
    unsigned timeout_ms = (unsigned)(m->user_timeout_us / US_PER_MS);

    (void)purpose;
    if (setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof(timeout_ms)) != 0)
        return CURL_SOCKOPT_ERROR;
    return CURL_SOCKOPT_OK;
}

struct http_multi *http_multi_new(struct loop *l, unsigned max_connections, int64_t user_timeout_us,
                                  http_multi_done_fn *done, void *arg)
{
    struct http_multi *m = mem_must_alloc(sizeof(*m));

    m->loop = l;
    m->user_timeout_us = user_timeout_us;
    m->done = done;
    m->arg = arg;
    m->timer = loop_timer_new(l, on_timeout, m);
    m->curl = curl_multi_init();
    if (!m->curl)
        panic("no memory for curl");
    curl_multi_setopt(m->curl, CURLMOPT_SOCKETFUNCTION, on_socket_change);
    curl_multi_setopt(m->curl, CURLMOPT_SOCKETDATA, m);
    curl_multi_setopt(m->curl, CURLMOPT_TIMERFUNCTION, on_timer_change);
    curl_multi_setopt(m->curl, CURLMOPT_TIMERDATA, m);
    curl_multi_setopt(m->curl, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    curl_multi_setopt(m->curl, CURLMOPT_MAX_HOST_CONNECTIONS, (long)max_connections);
    curl_multi_setopt(m->curl, CURLMOPT_MAXCONNECTS, (long)max_connections);
    return m;
}

void http_multi_free(struct http_multi *m)
{
    if (!m)
        return;
    curl_multi_cleanup(m->curl);
    while (m->watches)
        watch_remove(m->watches);
    loop_timer_free(m->timer);
    mem_free(m);
}

void http_multi_set_up(struct http_multi *m, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket_options);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, m);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, m);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, m);
}

void http_multi_add(struct http_multi *m, CURL *easy)
{
    if (curl_multi_add_handle(m->curl, easy) != CURLM_OK)
        panic("curl takes no further request");
}

void http_multi_remove(struct http_multi *m, CURL *easy)
{
    curl_multi_remove_handle(m->curl, easy);
}

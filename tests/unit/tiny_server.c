/* The test server: blocking writes of small answers, reads on the loop. */
#include "tests/unit/tiny_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

#include "common/buf.h"
#include "common/loop.h"
#include "common/mem.h"
#include "tests/check.h"

struct tiny_conn {
    struct tiny_server *server;
    int fd;
    struct loop_io *io;
    struct buf in;
    struct tiny_conn *prev, *next;
};

struct tiny_server {
    struct loop *loop;
    int fd; /* -1: stopped */
    int port;
    struct loop_io *io;
    tiny_server_fn *fn;
    void *arg;
    unsigned accepted;
    struct tiny_conn *conns;
};

static void free_conn(void *arg)
{
    struct tiny_conn *c = arg;

    loop_io_free(c->io);
    buf_free(&c->in);
    mem_free(c);
}

void tiny_conn_close(struct tiny_conn *c, bool rst)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};

    DL_DELETE(c->server->conns, c);
    loop_io_set(c->io, 0);
    if (rst)
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(c->fd);
    c->fd = -1;
    loop_defer(c->server->loop, free_conn, c);
}

void tiny_conn_write(struct tiny_conn *c, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(c->fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0)
            return; /* the client hung up: its right */
        bytes += n;
        len -= (size_t)n;
    }
}

void tiny_conn_reply(struct tiny_conn *c, int status, int64_t date_s, const char *body)
{
    struct buf out = BUF_INIT;
    char date[64];
    time_t t = (time_t)date_s;
    struct tm tm;

    buf_add_fmt(&out, "HTTP/1.1 %d Whatever\r\nContent-Length: %zu\r\n", status, strlen(body));
    if (date_s >= 0) {
        gmtime_r(&t, &tm);
        strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
        buf_add_fmt(&out, "Date: %s\r\n", date);
    }
    buf_add_fmt(&out, "\r\n%s", body);
    tiny_conn_write(c, out.data, out.len);
    buf_free(&out);
}

void tiny_header(const char *head, const char *name, char *out, size_t size)
{
    size_t name_len = strlen(name);

    out[0] = '\0';
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, name_len) == 0 && line[name_len] == ':') {
            line += name_len + 1;
            line += strspn(line, " ");
            snprintf(out, size, "%.*s", (int)strcspn(line, "\r"), line);
            return;
        }
    }
}

/* Hands on the first whole request in the buffer; the client never sends two at a time. */
static void hand_on(struct tiny_conn *c)
{
    char *end = strstr(c->in.data, "\r\n\r\n");
    char length[32];
    struct buf request;

    if (!end)
        return;
    tiny_header(c->in.data, "Content-Length", length, sizeof(length));
    if (c->in.len < (size_t)(end + 4 - c->in.data) + strtoul(length, NULL, 10))
        return;
    end[2] = '\0';
    request = c->in;
    c->in = BUF_INIT;
    c->server->fn(c->server->arg, c, request.data, end + 4);
    buf_free(&request);
}

static void on_readable(void *arg, unsigned ready)
{
    struct tiny_conn *c = arg;
    char bytes[8192];
    ssize_t n = recv(c->fd, bytes, sizeof(bytes), 0);

    (void)ready;
    if (n <= 0) {
        tiny_conn_close(c, false);
        return;
    }
    buf_add(&c->in, bytes, (size_t)n);
    hand_on(c);
}

static void on_acceptable(void *arg, unsigned ready)
{
    struct tiny_server *s = arg;
    struct tiny_conn *c = mem_must_alloc(sizeof(*c));

    (void)ready;
    c->server = s;
    c->fd = accept(s->fd, NULL, NULL);
    assert_true(c->fd >= 0);
    c->io = loop_io_new(s->loop, c->fd, LOOP_READ, on_readable, c);
    DL_APPEND(s->conns, c);
    s->accepted++;
}

struct tiny_server *tiny_server_new(struct loop *l, tiny_server_fn *fn, void *arg)
{
    struct tiny_server *s = mem_must_alloc(sizeof(*s));
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);

    s->loop = l;
    s->fn = fn;
    s->arg = arg;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(s->fd >= 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(s->fd, 64), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &len), 0);
    s->port = ntohs(a.sin_port);
    s->io = loop_io_new(l, s->fd, LOOP_READ, on_acceptable, s);
    return s;
}

int tiny_server_port(const struct tiny_server *s)
{
    return s->port;
}

unsigned tiny_server_connections(const struct tiny_server *s)
{
    return s->accepted;
}

void tiny_server_close_all(struct tiny_server *s)
{
    struct tiny_conn *c, *next;

    DL_FOREACH_SAFE(s->conns, c, next)
    {
        tiny_conn_close(c, false);
    }
}

void tiny_server_stop(struct tiny_server *s)
{
    tiny_server_close_all(s);
    loop_io_free(s->io);
    s->io = NULL;
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

void tiny_server_free(struct tiny_server *s)
{
    tiny_server_stop(s);
    mem_free(s);
}

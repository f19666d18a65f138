/* See http_client.h. Failures end in abort: assertions of cmocka belong to the main thread. */
#include "tests/unit/common/http_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base.h"
#include "common/loop.h"

struct task {
    void (*fn)(void *arg);
    void *arg;
    int done_fd;
    struct loop *loop;
};

static void *run_task(void *arg)
{
    struct task *t = arg;
    t->fn(t->arg);
    if (eventfd_write(t->done_fd, 1) != 0) {
        panic("eventfd_write: %s", strerror(errno));
    }
    return NULL;
}

static void on_done(void *arg, unsigned ready)
{
    (void)ready;
    struct task *t = arg;
    loop_stop(t->loop);
}

void client_run(struct loop *l, void (*fn)(void *arg), void *arg)
{
    struct task t = {.fn = fn, .arg = arg, .loop = l, .done_fd = eventfd(0, EFD_NONBLOCK)};
    struct loop_io *io = loop_io_new(l, t.done_fd, LOOP_READ, on_done, &t);
    pthread_t thread;
    if (pthread_create(&thread, NULL, run_task, &t) != 0) {
        panic("no thread");
    }
    loop_run(l);
    pthread_join(thread, NULL);
    loop_io_free(io);
    close(t.done_fd);
}

int client_connect(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
        panic("connect: %s", strerror(errno));
    }
    return fd;
}

void client_send(int fd, const char *text)
{
    size_t len = strlen(text);
    while (len > 0) {
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
        if (n < 0) {
            return; /* the server closed meanwhile; what it said is still to be read */
        }
        text += n;
        len -= (size_t)n;
    }
}

/* False at the end. */
static bool read_more(int fd, struct answer *a)
{
    size_t room = sizeof(a->text) - 1 - a->len;
    ssize_t n = room > 0 ? recv(fd, a->text + a->len, room, 0) : 0;
    if (n < 0) {
        a->error = errno;
    }
    if (n <= 0) {
        return false;
    }
    a->len += (size_t)n;
    a->text[a->len] = '\0';
    return true;
}

void client_read_to_end(int fd, struct answer *a)
{
    *a = (struct answer){.len = 0};
    while (read_more(fd, a)) {
    }
}

static bool is_whole(const struct answer *a)
{
    const char *end = strstr(a->text, "\r\n\r\n");
    const char *length = strcasestr(a->text, "\r\nContent-Length: ");
    if (end == NULL || length == NULL) {
        return false;
    }
    size_t body = strtoul(length + strlen("\r\nContent-Length: "), NULL, 10);
    return a->len >= (size_t)(end + 4 - a->text) + body;
}

void client_read_answer(int fd, struct answer *a)
{
    *a = (struct answer){.len = 0};
    while (!is_whole(a) && read_more(fd, a)) {
    }
}

void client_ask(int port, const char *text, struct answer *a)
{
    int fd = client_connect(port);
    client_send(fd, text);
    client_read_to_end(fd, a);
    close(fd);
}

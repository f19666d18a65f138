/*
 * Loads a sendcode-sandbox with signed SendSms requests over keep-alive connections, and prints
 * answers a second and CPU microseconds an answer of the sandbox's process:
 *   sandbox_load HOST PORT PID SECONDS CONNECTIONS   (the key from TENCENT_SECRET_ID and _KEY)
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/crypto/tc3.h"
#include "common/text.h"

#define CONNECTIONS_MAX 1024
#define ANSWER_MAX 8192

struct connection {
    int fd;
    size_t got;
    char answer[ANSWER_MAX];
};

struct load {
    struct sockaddr_in to;
    char host[64];
    const char *secret_id, *secret_key;
    struct tc3_signer signer;
    struct buf body, request, authorization;
    struct connection connections[CONNECTIONS_MAX];
    uint64_t sent, accepted, other;
};

static void fail(const char *what)
{
    fprintf(stderr, "sandbox_load: %s: %s\n", what, strerror(errno));
    exit(EXIT_NO);
}

static double cpu_seconds(long pid)
{
    char path[64];
    char text[1024] = "";
    unsigned long user = 0;
    unsigned long system = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *f = fopen(path, "r");
    if (!f || fread(text, 1, sizeof text - 1, f) == 0)
        fail(path);
    fclose(f);
    /* Behind the name in brackets: state, then ten numbers, then the two times. */
    const char *at = strrchr(text, ')');
    if (!at ||
        sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        fail(path);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* Each request is for another number, signed anew. */
static void make_request(struct load *l)
{
    int64_t now_s = clock_wall_us() / US_PER_S;
    buf_clear(&l->body);
    buf_add_fmt(&l->body,
                "{\"PhoneNumberSet\":[\"+86138%08llu\"],\"SmsSdkAppId\":\"1400006789\","
                "\"TemplateId\":\"1717171\",\"SignName\":\"AA生活服务\","
                "\"TemplateParamSet\":[\"384592\",\"5\"],"
                "\"SessionContext\":\"0197b2f0-0000-7000-8000-%012llu\"}",
                (unsigned long long)(l->sent % 100000000), (unsigned long long)l->sent);
    struct tc3_request signed_request = {
        .content_type = "application/json; charset=utf-8",
        .host = l->host,
        .service = "sms",
        .body = l->body.data,
        .body_len = l->body.len,
        .timestamp = now_s,
    };
    buf_clear(&l->authorization);
    tc3_authorization(&l->signer, l->secret_id, l->secret_key, &signed_request, &l->authorization);
    buf_clear(&l->request);
    buf_add_fmt(&l->request,
                "POST / HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json; charset=utf-8\r\n"
                "X-TC-Action: SendSms\r\nX-TC-Version: 2021-01-11\r\nX-TC-Region: ap-guangzhou\r\n"
                "X-TC-Timestamp: %lld\r\nAuthorization: %s\r\nContent-Length: %zu\r\n\r\n",
                l->host, (long long)now_s, buf_text(&l->authorization), l->body.len);
    buf_add(&l->request, l->body.data, l->body.len);
}

static void send_request(struct load *l, struct connection *c)
{
    make_request(l);
    c->got = 0;
    l->sent++;
    if (write(c->fd, l->request.data, l->request.len) != (ssize_t)l->request.len)
        fail("write");
}

static bool is_whole(const struct connection *c)
{
    const char *length = strstr(c->answer, "Content-Length: ");
    const char *body = strstr(c->answer, "\r\n\r\n");
    if (!length || !body)
        return false;
    size_t head = (size_t)(body + 4 - c->answer);
    return c->got >= head + strtoul(length + 16, NULL, 10);
}

static void on_readable(struct load *l, struct connection *c, bool again)
{
    ssize_t n = read(c->fd, c->answer + c->got, sizeof c->answer - 1 - c->got);
    if (n <= 0)
        fail("the sandbox closed a connection");
    c->got += (size_t)n;
    c->answer[c->got] = 0;
    if (!is_whole(c))
        return;
    if (strstr(c->answer, "\"Code\":\"Ok\""))
        l->accepted++;
    else
        l->other++;
    if (again)
        send_request(l, c);
}

static void open_all(struct load *l, int epoll, int n)
{
    int on = 1;
    for (int i = 0; i < n; i++) {
        struct connection *c = &l->connections[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        c->fd = socket(AF_INET, SOCK_STREAM, 0);
        if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&l->to, sizeof l->to) < 0)
            fail("connect");
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) < 0)
            fail("epoll_ctl");
        send_request(l, c);
    }
}

static void run(struct load *l, long pid, int seconds, int n)
{
    struct epoll_event events[CONNECTIONS_MAX];
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    double cpu = cpu_seconds(pid);
    int64_t start_us = clock_boot_us();
    int64_t end_us = start_us + seconds * US_PER_S;
    open_all(l, epoll, n);
    while (l->accepted + l->other < l->sent) {
        int ready = epoll_wait(epoll, events, n, -1);
        bool again = clock_boot_us() < end_us;
        for (int i = 0; i < ready; i++)
            on_readable(l, events[i].data.ptr, again);
    }
    double took = (double)(clock_boot_us() - start_us) / (double)US_PER_S;
    double answers = (double)l->sent;
    printf("answers/s %.0f  cpu us/answer %.1f  accepted %llu  other %llu\n", answers / took,
           (cpu_seconds(pid) - cpu) * 1e6 / answers, (unsigned long long)l->accepted,
           (unsigned long long)l->other);
    close(epoll);
}

int main(int argc, char **argv)
{
    static struct load l;
    int64_t port, pid, seconds, n;
    l.secret_id = getenv("TENCENT_SECRET_ID");
    l.secret_key = getenv("TENCENT_SECRET_KEY");
    if (argc != 6 || !l.secret_id || !l.secret_key ||
        inet_pton(AF_INET, argv[1], &l.to.sin_addr) != 1 ||
        !text_to_int(argv[2], 1, 65535, &port) || !text_to_int(argv[3], 1, INT32_MAX, &pid) ||
        !text_to_int(argv[4], 1, 3600, &seconds) || !text_to_int(argv[5], 1, CONNECTIONS_MAX, &n)) {
        fprintf(stderr, "usage: sandbox_load IPV4 PORT PID SECONDS CONNECTIONS, with "
                        "TENCENT_SECRET_ID and TENCENT_SECRET_KEY\n");
        return EXIT_USAGE_ERROR;
    }
    l.to.sin_family = AF_INET;
    l.to.sin_port = htons((uint16_t)port);
    snprintf(l.host, sizeof l.host, "%s:%s", argv[1], argv[2]);
    run(&l, (long)pid, (int)seconds, (int)n);
    for (int i = 0; i < n; i++)
        close(l.connections[i].fd);
    buf_free(&l.body);
    buf_free(&l.request);
    buf_free(&l.authorization);
    return l.other == 0 ? EXIT_DONE : EXIT_NO;
}

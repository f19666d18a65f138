/* The HTTP client where connections do not come about, and TLS. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/err.h"
#include "common/httpd.h"
#include "common/loop.h"
#include "tests/check.h"
#include "worker/tencent/http_client.h"

#define TLS_FILE(name) SENDCODE_SOURCE_DIR "/tests/unit/tls/" name

#define TIMEOUT_US (2 * US_PER_S)

struct outcome {
    struct loop *loop;
    unsigned user_timeout_ms; /* of the connection, when the gate was asked */
    bool gate_was_asked;
    unsigned answers;
    enum http_fate fate;
    int status;
    char why[256];
};

struct ticks {
    struct loop_timer *timer;
    unsigned n;
};

/* Of all our connections: only the client's have one. */
static unsigned longest_user_timeout_ms(void)
{
    unsigned longest = 0;

    for (int fd = 0; fd < 256; fd++) {
        unsigned ms = 0;
        socklen_t len = sizeof(ms);

        if (getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, &len) == 0)
            longest = MAX(longest, ms);
    }
    return longest;
}

static bool on_gate(void *arg, uint64_t id)
{
    struct outcome *o = arg;

    (void)id;
    o->gate_was_asked = true;
    o->user_timeout_ms = longest_user_timeout_ms();
    return true;
}

static void on_done(void *arg, uint64_t id, const struct http_answer *a)
{
    struct outcome *o = arg;

    (void)id;
    o->answers++;
    o->fate = a->fate;
    o->status = a->status;
    snprintf(o->why, sizeof(o->why), "%s", a->why ? a->why : "");
    loop_stop(o->loop);
}

static struct outcome post_to(struct loop *l, const char *endpoint, const char *ca_file)
{
    static const char *const none[] = {NULL};
    static const char *const headers[] = {"X-Test: 1"};
    const struct http_client_options options = {
        .endpoint = endpoint, .ca_file = ca_file, .timeout_us = TIMEOUT_US, .max_requests = 1};
    struct outcome o = {.loop = l};
    const struct http_post p = {.headers = headers,
                                .n_headers = 1,
                                .body = "{}",
                                .body_len = 2,
                                .max_answer = 1000,
                                .gate = on_gate,
                                .done = on_done,
                                .arg = &o};
    struct err e = {0};
    struct http_client *c = http_client_new(l, &options, none, &e);

    if (!c)
        fail_msg("%s", e.text);
    http_client_post(c, &p);
    loop_run(l);
    http_client_free(c);
    assert_int_equal(o.answers, 1);
    return o;
}

static struct loop *new_loop(void)
{
    struct err e = {0};
    struct loop *l = loop_new(&e);

    assert_non_null(l);
    return l;
}

/* A listener that takes no more: its queue is full, so the kernel drops who knocks. */
static int full_listener(int fds[3])
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);

    fds[0] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fds[0], (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fds[0], 0), 0);
    assert_int_equal(getsockname(fds[0], (struct sockaddr *)&a, &len), 0);
    for (int i = 1; i < 3; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fds[i], (struct sockaddr *)&a, sizeof(a));
    }
    return ntohs(a.sin_port);
}

static void without_a_connection_nothing_leaves(void **state)
{
    struct loop *l = new_loop();
    int fds[3];
    char endpoint[3][64];

    (void)state;
    snprintf(endpoint[0], sizeof(endpoint[0]), "http://127.0.0.1:%d", full_listener(fds));
    snprintf(endpoint[1], sizeof(endpoint[1]), "http://127.0.0.1:1");
    snprintf(endpoint[2], sizeof(endpoint[2]), "http://no.such.host.invalid");
    for (size_t i = 0; i < ARRAY_LEN(endpoint); i++) {
        struct outcome o = post_to(l, endpoint[i], NULL);
        assert_int_equal(o.fate, HTTP_NOT_SENT);
        assert_false(o.gate_was_asked);
        assert_true(strlen(o.why) > 0);
    }
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    loop_free(l);
}

/*
 * curl's resolver threads come here. While the main thread holds the lock, the name server does not
 * answer.
 */
static pthread_mutex_t resolver = PTHREAD_MUTEX_INITIALIZER;

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **res)
{
    static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

    (void)pthread_mutex_lock(&resolver);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    (void)pthread_mutex_unlock(&resolver);
    if (node && strcmp(node, "hangs.invalid") == 0)
        return EAI_AGAIN;
    return real(node, service, hints, res);
}

static void count(void *arg)
{
    struct ticks *t = arg;

    t->n++;
    loop_timer_start(t->timer, 50 * US_PER_MS);
}

static void a_name_server_that_hangs_holds_up_nothing_else(void **state)
{
    struct loop *l = new_loop();
    struct ticks t = {0};
    struct outcome o;

    (void)state;
    t.timer = loop_timer_new(l, count, &t);
    loop_timer_start(t.timer, 0);
    (void)pthread_mutex_lock(&resolver);
    o = post_to(l, "http://hangs.invalid", NULL); /* returns though the resolver has not */
    assert_int_equal(o.fate, HTTP_NOT_SENT);
    assert_false(o.gate_was_asked);
    assert_true(t.n > 3);
    (void)pthread_mutex_unlock(&resolver);
    loop_timer_free(t.timer);
    loop_free(l);
}

static void answer(void *arg, struct http_request *req)
{
    (void)arg;
    http_reply(req, 200, "text/plain", "hello", 5);
}

static void tls_is_verified_and_a_private_ca_may_be_added(void **state)
{
    const struct httpd_limits limits = {
        .max_body = 1000, .max_header = 4000, .timeout_s = 5, .max_connections = 5};
    struct loop *l = new_loop();
    struct err e = {0};
    struct httpd *h = httpd_new(l, &limits, answer, NULL, &e);
    int port =
        httpd_listen_tls(h, "127.0.0.1:0", TLS_FILE("server.pem"), TLS_FILE("server.key"), &e);
    char endpoint[64];
    struct outcome o;

    (void)state;
    if (port < 0)
        fail_msg("%s", e.text);
    snprintf(endpoint, sizeof(endpoint), "https://127.0.0.1:%d", port);
    o = post_to(l, endpoint, TLS_FILE("ca.pem"));
    if (o.fate != HTTP_ANSWERED)
        fail_msg("%s", o.why);
    assert_int_equal(o.status, 200);

    o = post_to(l, endpoint, NULL); /* signed by nobody whom the system trusts */
    assert_int_equal(o.fate, HTTP_NOT_SENT);
    assert_false(o.gate_was_asked);

    snprintf(endpoint, sizeof(endpoint), "https://localhost:%d", port);
    o = post_to(l, endpoint, TLS_FILE("ca.pem")); /* the certificate is another name's */
    assert_int_equal(o.fate, HTTP_NOT_SENT);
    assert_false(o.gate_was_asked);
    httpd_free(h);
    loop_free(l);
}

static void bytes_wait_in_the_kernel_no_longer_than_the_request(void **state)
{
    const struct httpd_limits limits = {
        .max_body = 1000, .max_header = 4000, .timeout_s = 5, .max_connections = 5};
    struct loop *l = new_loop();
    struct err e = {0};
    struct httpd *h = httpd_new(l, &limits, answer, NULL, &e);
    char endpoint[64];
    struct outcome o;

    (void)state;
    snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:%d", httpd_listen(h, "127.0.0.1:0", &e));
    o = post_to(l, endpoint, NULL);
    assert_int_equal(o.fate, HTTP_ANSWERED);
    assert_int_equal(o.user_timeout_ms, TIMEOUT_US / US_PER_MS);
    httpd_free(h);
    loop_free(l);
}

static void tls_to_a_server_that_speaks_none_leaves_nothing(void **state)
{
    const struct httpd_limits limits = {
        .max_body = 1000, .max_header = 4000, .timeout_s = 5, .max_connections = 5};
    struct loop *l = new_loop();
    struct err e = {0};
    struct httpd *h = httpd_new(l, &limits, answer, NULL, &e);
    char endpoint[64];
    struct outcome o;

    (void)state;
    snprintf(endpoint, sizeof(endpoint), "https://127.0.0.1:%d",
             httpd_listen(h, "127.0.0.1:0", &e));
    o = post_to(l, endpoint, NULL);
    assert_int_equal(o.fate, HTTP_NOT_SENT);
    assert_false(o.gate_was_asked);
    httpd_free(h);
    loop_free(l);
}

static void host_is_sent_with_a_port_that_is_not_the_schemes(void **state)
{
    static const struct {
        const char *endpoint, *host; /* NULL: refused */
    } cases[] = {
        {"https://sms.tencentcloudapi.com",      "sms.tencentcloudapi.com"     },
        {"https://sms.tencentcloudapi.com/",     "sms.tencentcloudapi.com"     },
        {"https://sms.tencentcloudapi.com:443",  "sms.tencentcloudapi.com"     },
        {"https://sms.tencentcloudapi.com:8443", "sms.tencentcloudapi.com:8443"},
        {"http://127.0.0.1:8080",                "127.0.0.1:8080"              },
        {"http://localhost",                     "localhost"                   },
        {"http://[::1]:8080",                    "[::1]:8080"                  },
        {"https://host/path",                    NULL                          },
        {"https://host/?a=b",                    NULL                          },
        {"https://user@host/",                   NULL                          },
        {"ftp://host",                           NULL                          },
        {"host",                                 NULL                          },
        {"",                                     NULL                          },
    };
    static const char *const none[] = {NULL};
    struct loop *l = new_loop();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct http_client_options options = {
            .endpoint = cases[i].endpoint, .timeout_us = US_PER_S, .max_requests = 1};
        struct err e = {0};
        struct http_client *c = http_client_new(l, &options, none, &e);

        if (!cases[i].host != !c)
            fail_msg("endpoint %s", cases[i].endpoint);
        if (c)
            assert_string_equal(http_client_host(c), cases[i].host);
        else
            assert_int_equal(e.class, ERR_PERM);
        http_client_free(c);
    }
    loop_free(l);
}

static void a_ca_file_that_is_not_there_is_said_at_once(void **state)
{
    static const char *const none[] = {NULL};
    const struct http_client_options options = {.endpoint = "https://host",
                                                .ca_file = "/nonexistent/ca.pem",
                                                .timeout_us = US_PER_S,
                                                .max_requests = 1};
    struct loop *l = new_loop();
    struct err e = {0};

    (void)state;
    assert_null(http_client_new(l, &options, none, &e));
    assert_non_null(strstr(e.text, "/nonexistent/ca.pem"));
    loop_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_connection_nothing_leaves),
        cmocka_unit_test(a_name_server_that_hangs_holds_up_nothing_else),
        cmocka_unit_test(tls_is_verified_and_a_private_ca_may_be_added),
        cmocka_unit_test(bytes_wait_in_the_kernel_no_longer_than_the_request),
        cmocka_unit_test(tls_to_a_server_that_speaks_none_leaves_nothing),
        cmocka_unit_test(host_is_sent_with_a_port_that_is_not_the_schemes),
        cmocka_unit_test(a_ca_file_that_is_not_there_is_said_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

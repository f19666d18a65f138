/* The HTTP server against a client that speaks raw bytes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/httpd.h"
#include "common/log.h"
#include "common/loop.h"
#include "tests/check.h"
#include "tests/unit/common/http_client.h"

#define CLOSE "Connection: close\r\n\r\n"

static const struct httpd_limits limits = {
    .max_body = 100,
    .max_header = 1000,
    .timeout_s = 30,
    .max_connections = 3,
};

static struct loop *l;
static struct httpd *h;
static int port;
static struct http_request *held; /* by the handler, for /hold */
static int handled;

/* Says what it was asked, or does what the path says. */
static void handle(void *arg, struct http_request *req)
{
    (void)arg;
    const char *path = http_path(req);
    handled++;
    if (strcmp(path, "/hold") == 0) {
        held = req;
        return;
    }
    if (strcmp(path, "/release") == 0) {
        http_reply(held, 200, "text/plain", "late", 4);
        held = NULL;
    } else if (strcmp(path, "/cut") == 0) {
        http_reply_cut(req, 200, "text/plain", "ten bytes.", 10, 50);
        return;
    } else if (strcmp(path, "/drop") == 0) {
        http_drop(req);
        return;
    } else if (strcmp(path, "/date") == 0) {
        http_set_header(req, "Date", "Thu, 01 Jan 1970 00:00:00 GMT");
    }
    size_t len = 0;
    const char *body = http_body(req, &len);
    const char *phone = http_query(req, "phone");
    const char *agent = http_header(req, "user-agent");
    struct buf out = BUF_INIT;
    buf_add_fmt(&out, "method=%s path=%s phone=%s agent=%s body=%.*s;", http_method(req), path,
                phone != NULL ? phone : "none", agent != NULL ? agent : "none", (int)len, body);
    http_set_header(req, "X-Handled", "once");
    http_set_header(req, "X-Handled", "yes");
    http_reply(req, 200, "text/plain", buf_text(&out), out.len);
    buf_free(&out);
}

static void drop_line(void *arg, const char *line, size_t len)
{
    (void)arg;
    (void)line;
    (void)len;
}

static int set_up(void **state)
{
    (void)state;
    struct err e;
    handled = 0;
    held = NULL;
    log_set_sink(drop_line, NULL);
    l = loop_new(&e);
    h = httpd_new(l, &limits, handle, NULL, &e);
    port = httpd_listen(h, "127.0.0.1:0", &e);
    return port > 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    httpd_free(h);
    loop_free(l);
    log_set_sink(NULL, NULL);
    return 0;
}

struct exchange {
    const char *request;
    struct answer answer;
};

static void exchange(void *arg)
{
    struct exchange *x = arg;
    client_ask(port, x->request, &x->answer);
}

static void assert_has(const struct answer *a, const char *part)
{
    if (strstr(a->text, part) == NULL) {
        fail_msg("no \"%s\" in \"%s\" (errno %d)", part, a->text, a->error);
    }
}

static void requests_reach_the_handler_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        const char *said;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: x\r\n" CLOSE,                                                "method=GET path=/ phone=none agent=none body=;"},
        {"GET /m%65ss?a=1&phone=+86%31&phone=2 HTTP/1.1\r\nHost: x\r\n" CLOSE,
         "method=GET path=/mess phone=+861 agent=none body=;"                                                                                  },
        {"GET /?phones=1&xphone=2 HTTP/1.1\r\nHost: x\r\n" CLOSE,
         "method=GET path=/ phone=none agent=none body=;"                                                                                      },
        {"GET /?phone HTTP/1.1\r\nHost: x\r\n" CLOSE,                                          "method=GET path=/ phone= agent=none body=;"    },
        {"GET /?phone=%00x HTTP/1.1\r\nHost: x\r\n" CLOSE,
         "method=GET path=/ phone=none agent=none body=;"                                                                                      },
        {"GET /a%00b HTTP/1.1\r\nHost: x\r\n" CLOSE,
         "method=GET path=/a%00b phone=none agent=none body=;"                                                                                 },
        {"DELETE /messages HTTP/1.1\r\nHost: x\r\nUser-Agent: me\r\n" CLOSE,
         "method=DELETE path=/messages phone=none agent=me body=;"                                                                             },
        {"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
         "method=POST path=/x phone=none agent=none body=hello;"                                                                               },
        {"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
         "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",                                    "body=hello world;"                             },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct exchange x = {.request = cases[i].request};
        client_run(l, exchange, &x);
        assert_has(&x.answer, "HTTP/1.1 200 OK\r\n");
        assert_has(&x.answer, "\r\nContent-Type: text/plain\r\n");
        assert_has(&x.answer, "\r\nDate: ");
        assert_has(&x.answer, "\r\nX-Handled: yes\r\n");
        assert_null(strstr(x.answer.text, "once"));
        assert_has(&x.answer, cases[i].said);
        assert_int_equal(handled, i + 1);
    }
}

static void a_date_that_was_set_stands_alone(void **state)
{
    (void)state;
    struct exchange x = {.request = "GET /date HTTP/1.1\r\nHost: x\r\n" CLOSE};
    client_run(l, exchange, &x);
    assert_has(&x.answer, "\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
    const char *date = strstr(x.answer.text, "\r\nDate: ");
    assert_non_null(date);
    assert_null(strstr(date + 1, "\r\nDate: "));
}

static void what_breaks_a_limit_never_reaches_the_handler(void **state)
{
    (void)state;
    static char long_header[4096];
    int n = snprintf(long_header, sizeof(long_header), "GET / HTTP/1.1\r\nX-Long: ");
    memset(long_header + n, 'x', 2000);
    memcpy(long_header + n + 2000, "\r\n\r\n", 5);
    static char long_line[4096] = "GET /";
    memset(long_line + 5, 'x', 2000);
    memcpy(long_line + 2005, " HTTP/1.1\r\n\r\n", 14);
    static char chunks[4096];
    n = snprintf(chunks, sizeof(chunks),
                 "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n");
    memset(chunks + n, 'x', 0x65);
    memcpy(chunks + n + 0x65, "\r\n0\r\n\r\n", 8);
    const struct {
        const char *request;
        const char *status;
    } cases[] = {
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n",                         "HTTP/1.1 413 "},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\nExpect: 100-continue\r\n\r\n",
         "HTTP/1.1 413 "                                                                                     },
        {chunks,                                                                              "HTTP/1.1 413 "},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",                          "HTTP/1.1 400 "},
        {long_header,                                                                         "HTTP/1.1 400 "},
        {long_line,                                                                           "HTTP/1.1 400 "},
        {"PUT / HTTP/1.1\r\nHost: x\r\n" CLOSE,                                               "HTTP/1.1 405 "},
        {"HEAD / HTTP/1.1\r\nHost: x\r\n" CLOSE,                                              "HTTP/1.1 405 "},
        {"OPTIONS * HTTP/1.1\r\nHost: x\r\n" CLOSE,                                           "HTTP/1.1 405 "},
        {"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n" CLOSE,                                         "HTTP/1.1 405 "},
        {"BREW / HTTP/1.1\r\nHost: x\r\n" CLOSE,                                              "HTTP/1.1 501 "},
        {"nonsense\r\n\r\n",                                                                  "HTTP/1.1 400 "},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct exchange x = {.request = cases[i].request};
        client_run(l, exchange, &x);
        if (strncmp(x.answer.text, cases[i].status, strlen(cases[i].status)) != 0) {
            fail_msg("case %zu: \"%s\" (errno %d)", i, x.answer.text, x.answer.error);
        }
        assert_int_equal(handled, 0);
    }
}

static void the_longest_body_is_taken(void **state)
{
    (void)state;
    char request[300];
    snprintf(request, sizeof(request),
             "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nConnection: close\r\n\r\n%0100d",
             7);
    struct exchange x = {.request = request};
    client_run(l, exchange, &x);
    assert_has(&x.answer, "HTTP/1.1 200 OK\r\n");
    assert_has(&x.answer, "00007;");
}

struct answers {
    struct answer answer[5];
};

static void ask_three_times_on_one_connection(void *arg)
{
    struct answers *all = arg;
    int fd = client_connect(port);
    for (int i = 0; i < 2; i++) {
        client_send(fd, "GET /one HTTP/1.1\r\nHost: x\r\n\r\n");
        client_read_answer(fd, &all->answer[i]);
    }
    client_send(fd, "GET /two HTTP/1.1\r\nHost: x\r\n\r\nGET /three HTTP/1.1\r\nHost: x\r\n" CLOSE);
    client_read_to_end(fd, &all->answer[2]);
    close(fd);
}

static void a_connection_serves_many_requests_also_pipelined(void **state)
{
    (void)state;
    static struct answers all;
    client_run(l, ask_three_times_on_one_connection, &all);
    assert_has(&all.answer[0], "path=/one");
    assert_has(&all.answer[1], "path=/one");
    assert_has(&all.answer[2], "path=/two");
    assert_has(&all.answer[2], "path=/three");
    assert_int_equal(handled, 4);
}

/* Limit 3: a fourth is closed without a word; when one has gone there is room again. */
static void open_one_connection_too_many(void *arg)
{
    struct answers *all = arg;
    int fds[4];
    for (int i = 0; i < 4; i++) {
        fds[i] = client_connect(port);
        client_send(fds[i], "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        client_read_answer(fds[i], &all->answer[i]);
    }
    close(fds[3]);
    close(fds[0]);
    do { /* the server has yet to notice */
        client_ask(port, "GET / HTTP/1.1\r\nHost: x\r\n" CLOSE, &all->answer[4]);
    } while (all->answer[4].len == 0);
    close(fds[1]);
    close(fds[2]);
}

static void connections_over_the_limit_are_closed_at_once(void **state)
{
    (void)state;
    static struct answers all;
    client_run(l, open_one_connection_too_many, &all);
    for (int i = 0; i < 3; i++) {
        assert_has(&all.answer[i], "HTTP/1.1 200 OK\r\n");
    }
    assert_string_equal(all.answer[3].text, "");
    assert_has(&all.answer[4], "HTTP/1.1 200 OK\r\n");
    assert_int_equal(handled, 4);
}

static void a_cut_answer_ends_before_its_announced_length(void **state)
{
    (void)state;
    struct exchange x = {.request = "GET /cut HTTP/1.1\r\nHost: x\r\n\r\n"};
    client_run(l, exchange, &x);
    assert_has(&x.answer, "HTTP/1.1 200 OK\r\n");
    assert_has(&x.answer, "\r\nContent-Length: 50\r\n");
    assert_has(&x.answer, "\r\n\r\nten bytes.");
    assert_null(strstr(x.answer.text, "Connection: close"));
    assert_string_equal(strstr(x.answer.text, "\r\n\r\n") + 4, "ten bytes.");
    assert_int_equal(x.answer.error, 0);
}

static void a_dropped_request_ends_without_an_answer(void **state)
{
    (void)state;
    struct exchange x = {.request = "GET /drop HTTP/1.1\r\nHost: x\r\n\r\n"};
    client_run(l, exchange, &x);
    assert_string_equal(x.answer.text, "");
    assert_int_equal(x.answer.error, 0);
}

static void ask_and_be_answered_later(void *arg)
{
    struct answers *all = arg;
    int waiting = client_connect(port);
    client_send(waiting, "GET /hold HTTP/1.1\r\nHost: x\r\n" CLOSE);
    do { /* until the handler has it, this one finds nothing held */
        client_ask(port, "GET / HTTP/1.1\r\nHost: x\r\n" CLOSE, &all->answer[1]);
    } while (__atomic_load_n(&held, __ATOMIC_SEQ_CST) == NULL);
    client_ask(port, "GET /release HTTP/1.1\r\nHost: x\r\n" CLOSE, &all->answer[1]);
    client_read_to_end(waiting, &all->answer[0]);
    close(waiting);
}

static void an_answer_may_come_later(void **state)
{
    (void)state;
    static struct answers all;
    client_run(l, ask_and_be_answered_later, &all);
    assert_has(&all.answer[0], "\r\n\r\nlate");
}

static void ask_and_go(void *arg)
{
    struct answers *all = arg;
    int waiting = client_connect(port);
    client_send(waiting, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    while (__atomic_load_n(&held, __ATOMIC_SEQ_CST) == NULL) {
        client_ask(port, "GET / HTTP/1.1\r\nHost: x\r\n" CLOSE, &all->answer[1]);
    }
    close(waiting);
    client_ask(port, "GET /release HTTP/1.1\r\nHost: x\r\n" CLOSE, &all->answer[1]);
}

static void an_answer_to_a_client_that_has_gone_is_harmless(void **state)
{
    (void)state;
    static struct answers all;
    client_run(l, ask_and_go, &all);
    assert_has(&all.answer[1], "HTTP/1.1 200 OK\r\n");
    assert_null(held);
}

static void leave_a_request_held(void *arg)
{
    struct answers *all = arg;
    int waiting = client_connect(port);
    client_send(waiting, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    while (__atomic_load_n(&held, __ATOMIC_SEQ_CST) == NULL) {
        client_ask(port, "GET / HTTP/1.1\r\nHost: x\r\n" CLOSE, &all->answer[1]);
    }
    close(waiting);
}

static void a_server_may_end_with_requests_unanswered(void **state)
{
    (void)state;
    static struct answers all;
    client_run(l, leave_a_request_held, &all);
    assert_non_null(held); /* the leak checker judges what tear_down leaves */
}

int main(void)
{
#define HTTPD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        HTTPD_TEST(requests_reach_the_handler_decoded),
        HTTPD_TEST(a_date_that_was_set_stands_alone),
        HTTPD_TEST(what_breaks_a_limit_never_reaches_the_handler),
        HTTPD_TEST(the_longest_body_is_taken),
        HTTPD_TEST(a_connection_serves_many_requests_also_pipelined),
        HTTPD_TEST(connections_over_the_limit_are_closed_at_once),
        HTTPD_TEST(a_cut_answer_ends_before_its_announced_length),
        HTTPD_TEST(a_dropped_request_ends_without_an_answer),
        HTTPD_TEST(an_answer_may_come_later),
        HTTPD_TEST(an_answer_to_a_client_that_has_gone_is_harmless),
        HTTPD_TEST(a_server_may_end_with_requests_unanswered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

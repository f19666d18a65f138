/* The sender against a server with every fault: what certainly did not leave, and what may have. */
#include <string.h>

#include "common/buf.h"
#include "tests/check.h"
#include "tests/unit/sms_fixture.h"
#include "worker/tencent/tencent_sms.h"

static void start(struct fixture *f)
{
    fixture_start(f, &(struct fixture_options){0});
}

/* ---- what the server does ---- */

static void hang_up(struct fixture *f, struct tiny_conn *c, const char *head, const char *body)
{
    (void)f, (void)head, (void)body;
    tiny_conn_close(c, false);
}

static void reset(struct fixture *f, struct tiny_conn *c, const char *head, const char *body)
{
    (void)f, (void)head, (void)body;
    tiny_conn_close(c, true);
}

static void never_answer(struct fixture *f, struct tiny_conn *c, const char *head, const char *body)
{
    (void)f, (void)c, (void)head, (void)body;
}

static void say(struct tiny_conn *c, const char *bytes)
{
    tiny_conn_write(c, bytes, strlen(bytes));
    tiny_conn_close(c, false);
}

static void short_body(struct fixture *f, struct tiny_conn *c, const char *head, const char *body)
{
    (void)f, (void)head, (void)body;
    say(c, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"Response\":{");
}

static void cut_header(struct fixture *f, struct tiny_conn *c, const char *head, const char *body)
{
    (void)f, (void)head, (void)body;
    say(c, "HTTP/1.1 200 OK\r\nContent-Len");
}

static void no_http(struct fixture *f, struct tiny_conn *c, const char *head, const char *body)
{
    (void)f, (void)head, (void)body;
    say(c, "SSH-2.0-OpenSSH_9.2\r\n");
}

static void unavailable(struct fixture *f, struct tiny_conn *c, const char *head, const char *body)
{
    (void)f, (void)head, (void)body;
    tiny_conn_reply(c, 503, PROVIDER_DATE, OK_ANSWER);
}

static void elsewhere(struct fixture *f, struct tiny_conn *c, const char *head, const char *body)
{
    (void)head, (void)body;
    struct buf b = BUF_INIT;
    buf_add_fmt(&b,
                "HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:%d/\r\n"
                "Content-Length: 0\r\n\r\n",
                tiny_server_port(f->server));
    tiny_conn_write(c, b.data, b.len);
    buf_free(&b);
}

static void no_json(struct fixture *f, struct tiny_conn *c, const char *head, const char *body)
{
    (void)f, (void)head, (void)body;
    tiny_conn_reply(c, 200, PROVIDER_DATE, "<html>welcome to the captive portal</html>");
}

static void huge(struct fixture *f, struct tiny_conn *c, const char *head, const char *body)
{
    struct buf b = BUF_INIT;

    (void)f, (void)head, (void)body;
    for (int i = 0; i < 70000; i++)
        buf_add_char(&b, ' ');
    buf_add_text(&b, OK_ANSWER);
    tiny_conn_reply(c, 200, PROVIDER_DATE, buf_text(&b));
    buf_free(&b);
}

static void refuse(struct fixture *f, struct tiny_conn *c, const char *head, const char *body)
{
    (void)f, (void)head, (void)body;
    tiny_conn_reply(c, 200, PROVIDER_DATE, ERROR_ANSWER("RequestLimitExceeded"));
}

/* ---- tests ---- */

static void an_accepted_sms_gives_its_serial_number(void **state)
{
    struct fixture f;

    (void)state;
    start(&f);
    fixture_send(&f, 7);
    assert_int_equal(f.results, 0); /* never before the call returns */
    fixture_run(&f, 1);
    assert_int_equal(f.last_ticket, 7);
    assert_int_equal(f.last.transport, SEND_ANSWERED);
    assert_true(f.last.accepted);
    assert_int_equal(f.last.http_status, 200);
    assert_string_equal(f.last.code, "Ok");
    assert_string_equal(f.last.serial_no, "5000:1045710669157053657849499619");
    assert_string_equal(f.last.request_id, "a0aabda6-cf91-4f3e");
    assert_int_equal(f.last.fee, 1);
    assert_int_equal(f.gate_calls, 1);
    fixture_end(&f);
}

static void a_refusal_is_an_answer(void **state)
{
    struct fixture f;

    (void)state;
    start(&f);
    f.on_send = refuse;
    fixture_send(&f, 1);
    fixture_run(&f, 1);
    assert_int_equal(f.last.transport, SEND_ANSWERED);
    assert_false(f.last.accepted);
    assert_true(f.last.top_level);
    assert_string_equal(f.last.code, "RequestLimitExceeded");
    fixture_end(&f);
}

static void what_may_have_left_is_in_doubt_and_leaves_once(void **state)
{
    static const struct {
        const char *what;
        void (*fault)(struct fixture *, struct tiny_conn *, const char *, const char *);
        int http_status;
    } cases[] = {
        {"hangs up",       hang_up,      0  },
        {"resets",         reset,        0  },
        {"never answers",  never_answer, 0  },
        {"short body",     short_body,   200},
        {"cut header",     cut_header,   200},
        {"no HTTP",        no_http,      0  },
        {"503 with an Ok", unavailable,  503},
        {"307",            elsewhere,    307},
        {"no JSON",        no_json,      200},
        {"huge",           huge,         200},
    };

    (void)state;
    /* On a new connection, and on one that was used: there curl would send again by itself. */
    for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
        bool reused = i >= ARRAY_LEN(cases);
        struct fixture f;

        start(&f);
        if (!reused)
            tiny_server_close_all(f.server); /* the clock query's */
        f.on_send = cases[i % ARRAY_LEN(cases)].fault;
        fixture_send(&f, 1);
        fixture_run(&f, 1);
        if (f.last.transport != SEND_NO_ANSWER || f.last.accepted || f.posts != 1)
            fail_msg("%s: transport %d, %u posts", cases[i % ARRAY_LEN(cases)].what,
                     (int)f.last.transport, f.posts);
        assert_int_equal(f.connections_at_post, reused ? 1 : 2);
        assert_int_equal(f.last.http_status, cases[i % ARRAY_LEN(cases)].http_status);
        assert_int_equal(f.gate_calls, 1);
        assert_true(strlen(f.last.why) > 0);
        assert_string_equal(f.last.code, "");
        assert_string_equal(f.last.serial_no, "");

        f.on_send = NULL; /* and the sender is as good as new */
        fixture_send(&f, 2);
        fixture_run(&f, 1);
        assert_true(f.last.accepted);
        assert_string_equal(f.last.why, "");
        fixture_end(&f);
    }
}

static void a_connection_that_cannot_be_made_leaves_nothing(void **state)
{
    struct fixture f;

    (void)state;
    start(&f);
    tiny_server_stop(f.server);
    fixture_send(&f, 1);
    fixture_run(&f, 1);
    assert_int_equal(f.last.transport, SEND_NOT_SENT);
    assert_false(f.last.gate_refused);
    assert_int_equal(f.gate_calls, 0);
    assert_true(strlen(f.last.why) > 0);
    fixture_end(&f);
}

static void a_gate_that_says_no_leaves_nothing(void **state)
{
    struct fixture f;

    (void)state;
    start(&f);
    f.gate_says_no = true;
    fixture_send(&f, 1);
    fixture_run(&f, 1);
    assert_int_equal(f.last.transport, SEND_NOT_SENT);
    assert_true(f.last.gate_refused);
    assert_int_equal(f.gate_calls, 1);
    assert_int_equal(f.posts, 0);
    f.gate_says_no = false;
    fixture_send(&f, 2);
    fixture_run(&f, 1);
    assert_true(f.last.accepted);
    fixture_end(&f);
}

static void an_idle_connection_closed_by_the_server_costs_nothing(void **state)
{
    struct fixture f;

    (void)state;
    start(&f);
    for (unsigned i = 0; i < 3; i++) {
        tiny_server_close_all(f.server);
        fixture_send(&f, i);
        fixture_run(&f, 1);
        assert_true(f.last.accepted);
    }
    assert_int_equal(f.posts, 3);
    assert_int_equal(f.gate_calls, 3);
    fixture_end(&f);
}

static void as_many_as_allowed_go_at_once_on_kept_connections(void **state)
{
    struct fixture f;

    (void)state;
    start(&f);
    for (unsigned round = 0; round < 5; round++) {
        for (unsigned i = 0; i < IN_FLIGHT; i++)
            fixture_send(&f, i);
        fixture_run(&f, IN_FLIGHT);
    }
    assert_int_equal(f.posts, 5 * IN_FLIGHT);
    assert_int_equal(f.gate_calls, 5 * IN_FLIGHT);
    assert_true(tiny_server_connections(f.server) <= IN_FLIGHT + 1);
    fixture_end(&f);
}

static void queries_for_records_take_no_sends_place(void **state)
{
    const struct records_query q = {.phone = PHONE, .sdk_app_id = "1400006666"};
    struct fixture f;

    (void)state;
    start(&f);
    f.on_send = never_answer;
    for (unsigned i = 0; i < IN_FLIGHT; i++)
        fixture_send(&f, i);
    for (unsigned i = 0; i < QUERIES_MAX; i++)
        f.sender->query_records(f.sender->self, 100 + i, &q);
    f.sender->probe(f.sender->self);
    fixture_run(&f, QUERIES_MAX + 1);
    assert_int_equal(f.records, QUERIES_MAX);
    assert_int_equal(f.probed, 1);
    assert_true(f.gate_calls <= IN_FLIGHT); /* nobody asks whether a query may go */
    fixture_end(&f);
}

static void freeing_drops_what_is_under_way(void **state)
{
    struct fixture f;

    (void)state;
    start(&f);
    f.on_send = never_answer;
    fixture_send(&f, 1);
    fixture_send(&f, 2);
    f.sender->probe(f.sender->self);
    fixture_run(&f, 1); /* the probe's answer: the sends are on their way */
    fixture_end(&f);
    assert_int_equal(f.results, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_accepted_sms_gives_its_serial_number),
        cmocka_unit_test(a_refusal_is_an_answer),
        cmocka_unit_test(what_may_have_left_is_in_doubt_and_leaves_once),
        cmocka_unit_test(a_connection_that_cannot_be_made_leaves_nothing),
        cmocka_unit_test(a_gate_that_says_no_leaves_nothing),
        cmocka_unit_test(an_idle_connection_closed_by_the_server_costs_nothing),
        cmocka_unit_test(as_many_as_allowed_go_at_once_on_kept_connections),
        cmocka_unit_test(queries_for_records_take_no_sends_place),
        cmocka_unit_test(freeing_drops_what_is_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

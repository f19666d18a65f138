/* Answers to queries for send records that are not whole, and records that are there twice. */
#include "common/buf.h"
#include "tests/check.h"
#include "tests/unit/records_rig.h"

static void hang_up(struct rig *r, struct tiny_conn *c)
{
    (void)r;
    tiny_conn_close(c, false);
}

static void never(struct rig *r, struct tiny_conn *c)
{
    (void)r, (void)c;
}

static void unavailable(struct rig *r, struct tiny_conn *c)
{
    tiny_conn_reply(c, 503, rig_provider_now_s(r), "{\"Response\":{\"SendRecordSet\":[]}}");
}

static void cut(struct rig *r, struct tiny_conn *c)
{
    static const char bytes[] = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"Response\":{";

    (void)r;
    tiny_conn_write(c, bytes, sizeof(bytes) - 1);
    tiny_conn_close(c, false);
}

static void no_json(struct rig *r, struct tiny_conn *c)
{
    rig_reply(r, c, "<html></html>");
}

static void second_page_missing(struct rig *r, struct tiny_conn *c)
{
    if (r->offset == 0)
        rig_reply_page(r, c);
    else
        hang_up(r, c);
}

static void twice(struct rig *r, struct tiny_conn *c, int status, int64_t age_s)
{
    struct buf body = BUF_INIT;

    buf_add_text(&body, "{\"Response\":{\"SendRecordSet\":[");
    rig_add_record(&body, "s:1", 1, "LimitExceeded", PROVIDER_START - 10);
    buf_add_char(&body, ',');
    rig_add_record(&body, "s:1", status, "LimitExceeded", PROVIDER_START - age_s);
    buf_add_text(&body, "]}}");
    rig_reply(r, c, buf_text(&body));
    buf_free(&body);
}

static void twice_with_two_times(struct rig *r, struct tiny_conn *c)
{
    twice(r, c, 1, 11);
}

static void twice_with_two_fates(struct rig *r, struct tiny_conn *c)
{
    twice(r, c, 3, 10);
}

static void slow(struct rig *r, struct tiny_conn *c)
{
    rig_move_clock(4 * US_PER_S);
    rig_reply_page(r, c);
}

static void what_is_not_whole_says_why_and_gives_what_was_understood(void **state)
{
    static const struct {
        const char *what;
        respond_fn *respond;
        int64_t n_records, total, date_off_s;
        const char *odd_record;
        size_t understood;
    } cases[] = {
        {"hangs up",               hang_up,              0,    -1,   0,         NULL, 0   },
        {"never answers",          never,                0,    -1,   0,         NULL, 0   },
        {"503",                    unavailable,          0,    -1,   0,         NULL, 0   },
        {"cut",                    cut,                  0,    -1,   0,         NULL, 0   },
        {"no JSON",                no_json,              0,    -1,   0,         NULL, 0   },
        {"page missing",           second_page_missing,  60,   -1,   0,         NULL, 50  },
        {"odd record",             NULL,                 3,    -1,   0,         "{}", 2   },
        {"odd record of page one", NULL,                 55,   -1,   0,         "7",  54  },
        {"counts more",            NULL,                 2,    3,    0,         NULL, 2   },
        {"counts more on pages",   NULL,                 60,   61,   0,         NULL, 60  },
        {"too many",               NULL,                 1000, 1000, 0,         NULL, 1000},
        {"far too many",           NULL,                 1001, -1,   0,         NULL, 1000},
        {"two times",              twice_with_two_times, 0,    -1,   0,         NULL, 1   },
        {"two fates",              twice_with_two_fates, 0,    -1,   0,         NULL, 1   },
        {"an hour ahead",          NULL,                 1,    -1,   3600,      NULL, 1   },
        {"ten seconds behind",     NULL,                 0,    -1,   -10,       NULL, 0   },
        {"eight hours behind",     NULL,                 1,    -1,   -8 * 3600, NULL, 0   },
        {"slow",                   slow,                 1,    -1,   0,         NULL, 1   },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig *r = rig_start();

        r->respond = cases[i].respond;
        r->n_records = cases[i].n_records;
        r->total = cases[i].total;
        r->odd_record = cases[i].odd_record;
        r->date_off_s = cases[i].date_off_s;
        rig_ask_and_run(r);
        if (r->answer.whole || r->answer.n != cases[i].understood || r->answer.code[0])
            fail_msg("%s: %zu came, %s", cases[i].what, r->answer.n,
                     r->answer.whole ? "whole" : r->answer.why);

        r->respond = NULL; /* and the next is as good as ever, once the clock is right */
        r->odd_record = NULL;
        r->n_records = 1;
        r->total = 1;
        r->date_off_s = 0;
        rig_learn(r, rig_provider_now_s(r));
        rig_ask(r, 8, HOUR_US);
        rig_run(r, 1);
        if (!r->answer.whole)
            fail_msg("after %s: %s", cases[i].what, r->answer.why);
        rig_end(r);
    }
}

static void of_two_fates_the_accepted_one_is_believed(void **state)
{
    struct rig *r = rig_start();

    (void)state;
    r->respond = twice_with_two_fates;
    rig_ask_and_run(r);
    assert_true(r->records[0].accepted);
    rig_end(r);
}

static void refuse(struct rig *r, struct tiny_conn *c)
{
    rig_reply(r, c, "{\"Response\":{\"Error\":{\"Code\":\"RequestLimitExceeded\"}}}");
}

static void a_refusal_gives_its_code(void **state)
{
    struct rig *r = rig_start();

    (void)state;
    r->respond = refuse;
    rig_ask_and_run(r);
    assert_false(r->answer.whole);
    assert_string_equal(r->answer.code, "RequestLimitExceeded");
    rig_end(r);
}

static void a_clock_that_was_wrong_proves_nothing(void **state)
{
    struct rig *r = rig_start();

    (void)state;
    rig_learn(r, PROVIDER_START - 7200);
    rig_ask_and_run(r);
    assert_false(r->answer.whole);
    rig_ask(r, 8, HOUR_US); /* but the answer put it right */
    rig_run(r, 1);
    assert_true(r->answer.whole);
    rig_end(r);
}

/* ---- the same record twice ---- */

static void same_twice(struct rig *r, struct tiny_conn *c)
{
    twice(r, c, 1, 10);
}

static void the_same_record_twice_is_one(void **state)
{
    struct rig *r = rig_start();

    (void)state;
    r->respond = same_twice;
    rig_ask_and_run(r);
    assert_true(r->answer.whole);
    assert_int_equal(r->answer.n, 1);
    assert_string_equal(r->records[0].serial_no, "s:1");
    assert_false(r->records[0].accepted);
    rig_end(r);
}

static void sixty_refusals(struct rig *r, struct tiny_conn *c, bool moved)
{
    struct buf body = BUF_INIT;
    int64_t end_at = MIN(r->offset + 50, 60);

    buf_add_text(&body, "{\"Response\":{\"SendRecordSet\":[");
    for (int64_t i = r->offset; i < end_at; i++) {
        if (i > r->offset)
            buf_add_char(&body, ',');
        rig_add_record(&body, "", 1, "LimitExceeded", PROVIDER_START - i + (moved && i >= 50));
    }
    buf_add_text(&body, "],\"TotalCount\":60}}");
    rig_reply(r, c, buf_text(&body));
    buf_free(&body);
}

static void refusals(struct rig *r, struct tiny_conn *c)
{
    sixty_refusals(r, c, false);
}

static void moved_refusals(struct rig *r, struct tiny_conn *c)
{
    sixty_refusals(r, c, true);
}

static void records_without_a_serial_number_count_once_each(void **state)
{
    struct rig *r = rig_start();

    (void)state;
    r->respond = refusals;
    rig_ask_and_run(r);
    assert_true(r->answer.whole);
    assert_int_equal(r->answer.n, 60);
    rig_end(r);

    r = rig_start();
    r->respond = moved_refusals; /* a newer one came between the pages: it was not seen */
    rig_ask_and_run(r);
    assert_false(r->answer.whole);
    rig_end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_whole_says_why_and_gives_what_was_understood),
        cmocka_unit_test(of_two_fates_the_accepted_one_is_believed),
        cmocka_unit_test(a_refusal_gives_its_code),
        cmocka_unit_test(a_clock_that_was_wrong_proves_nothing),
        cmocka_unit_test(the_same_record_twice_is_one),
        cmocka_unit_test(records_without_a_serial_number_count_once_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

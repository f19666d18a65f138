/* Dead letters of kafka_out, read back from librdkafka's mock cluster. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs setjmp and stdarg */
#include <cmocka.h>

#include "tests/unit/kafka_poster.h"

#define API_PRODUCE 0

static const struct record_header odd_headers[] = {
    {"traceparent",      "00-ab",  5},
    {"bin",              "\0\1\2", 3},
    {"none",             NULL,     0},
    {"empty",            "",       0},
    {"bin",              "again",  5},
    {"sendcode-replays", "2",      1},
    {"sendcode-error",   "forged", 6},
};

#define POSTER_ERROR_TWICE POSTER_ERROR " (replayed 2 times)"

static void assert_origin(const struct rig *r, const struct rig_message *m, const char *error,
                          const char *offset)
{
    assert_string_equal(rig_header(m, "sendcode-error"), error);
    assert_string_equal(rig_header(m, "sendcode-topic"), r->jobs);
    assert_string_equal(rig_header(m, "sendcode-partition"), "11");
    assert_string_equal(rig_header(m, "sendcode-offset"), offset);
    assert_string_equal(rig_header(m, "sendcode-at"), "2026-11-18T11:06:40.123Z");
}

static void a_dead_letter_is_the_record_byte_for_byte_and_where_it_was(UNUSED void **state)
{
    struct rig r;
    struct poster p;
    struct rig_message m[2];
    struct record whole = {.partition = 11,
                           .offset = INT64_C(9007199254740993),
                           .key = "k\0y",
                           .key_len = 3,
                           .value = "\xff\0{",
                           .value_len = 3,
                           .headers = odd_headers,
                           .n_headers = ARRAY_LEN(odd_headers)};
    struct record bare = {.partition = 11, .offset = 0, .key = "", .key_len = 0};

    rig_open_mock(&r, 1, true);
    poster_open(&p, &r);
    poster_dead_letter(&p, 0, &whole, false);
    poster_await(&p, 1);
    poster_dead_letter(&p, 1, &bare, false);
    poster_await(&p, 2);
    rig_read(&r, r.dead, m, 2);
    assert_int_equal(m[0].key_len, 3);
    assert_memory_equal(m[0].key, "k\0y", 3);
    assert_int_equal(m[0].value_len, 3);
    assert_memory_equal(m[0].value, "\xff\0{", 3);
    assert_int_equal(m[0].n_headers, ARRAY_LEN(odd_headers) + 5);
    for (size_t i = 0; i < ARRAY_LEN(odd_headers); i++) {
        assert_string_equal(m[0].headers[i].name, odd_headers[i].name);
        assert_int_equal(m[0].headers[i].null, odd_headers[i].value == NULL);
        if (odd_headers[i].value)
            assert_memory_equal(m[0].headers[i].value, odd_headers[i].value, odd_headers[i].len);
    }
    assert_origin(&r, &m[0], POSTER_ERROR_TWICE, "9007199254740993");
    assert_string_equal(rig_header(&m[0], "sendcode-replays"), "2");
    assert_null(rig_header(&m[0], "sendcode-omitted"));
    assert_false(m[1].key_null);
    assert_int_equal(m[1].key_len, 0);
    assert_true(m[1].value_null);
    assert_origin(&r, &m[1], POSTER_ERROR, "0");
    poster_close(&p);
}

static void only_a_count_of_replays_is_told(UNUSED void **state)
{
    static const struct {
        struct record_header header;
        const char *error;
    } cases[] = {
        {{"sendcode-replays", "1", 1},                  POSTER_ERROR " (replayed 1 time)"      },
        {{"sendcode-replays", "999999", 6},             POSTER_ERROR " (replayed 999999 times)"},
        {{"sendcode-replays", "0", 1},                  POSTER_ERROR                           },
        {{"sendcode-replays", "-1", 2},                 POSTER_ERROR                           },
        {{"sendcode-replays", "1\n2", 3},               POSTER_ERROR                           },
        {{"sendcode-replays", "10000000000000000", 17}, POSTER_ERROR                           },
        {{"sendcode-replays", "", 0},                   POSTER_ERROR                           },
        {{"sendcode-replays", NULL, 0},                 POSTER_ERROR                           },
    };
    struct rig r;
    struct poster p;
    struct rig_message m[ARRAY_LEN(cases)];

    rig_open_mock(&r, 1, true);
    poster_open(&p, &r);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct record rec = {
            .partition = 11, .key = "", .headers = &cases[i].header, .n_headers = 1};
        poster_dead_letter(&p, i, &rec, false);
        poster_await(&p, i + 1);
    }
    rig_read(&r, r.dead, m, ARRAY_LEN(cases));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_origin(&r, &m[i], cases[i].error, "0");
    poster_close(&p);
}

static void a_record_that_may_hold_a_code_goes_without_value_and_headers(UNUSED void **state)
{
    struct rig r;
    struct poster p;
    struct rig_message m;
    struct record rec = {.partition = 11,
                         .key = "+86",
                         .key_len = 3,
                         .value = "{\"code\":\"123456\"}",
                         .value_len = 17,
                         .headers = odd_headers,
                         .n_headers = ARRAY_LEN(odd_headers)};

    rig_open_mock(&r, 1, true);
    poster_open(&p, &r);
    poster_dead_letter(&p, 0, &rec, true);
    poster_await(&p, 1);
    rig_read(&r, r.dead, &m, 1);
    assert_string_equal(m.key, "+86");
    assert_true(m.value_null);
    assert_int_equal(m.n_headers, 6);
    assert_origin(&r, &m, POSTER_ERROR_TWICE, "0");
    assert_string_equal(rig_header(&m, "sendcode-omitted"), "code");
    poster_close(&p);
}

static void what_is_too_large_goes_smaller_wherever_that_is_noticed(UNUSED void **state)
{
    enum { HUGE = 8 * 1000 * 1000 };
    struct rig r;
    struct poster p;
    struct rig_message m[3];
    char *zeros = calloc(1, HUGE);
    struct record large = {
        .partition = 11, .key = "k", .key_len = 1, .value = zeros, .value_len = HUGE};
    struct record large_key = {.partition = 11, .key = zeros, .key_len = HUGE};
    struct record small = {.partition = 11, .key = "s", .key_len = 1, .value = "v", .value_len = 1};

    rig_open_mock(&r, 1, true);
    poster_open(&p, &r);
    poster_dead_letter(&p, 0, &large, false);
    poster_await(&p, 1);
    poster_dead_letter(&p, 1, &large_key, false);
    poster_await(&p, 2);
    rd_kafka_mock_push_request_errors(r.mock, API_PRODUCE, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    poster_dead_letter(&p, 2, &small, false);
    poster_await(&p, 3);
    poster_assert_each_once(&p, 3);
    rig_read(&r, r.dead, m, 3);
    for (int i = 0; i < 3; i++) {
        assert_string_equal(rig_header(&m[i], "sendcode-omitted"), "size");
        assert_origin(&r, &m[i], POSTER_ERROR, "0");
        assert_true(m[i].value_null);
    }
    assert_string_equal(m[0].key, "k");
    assert_true(m[1].key_null);
    assert_string_equal(m[2].key, "s");
    free(zeros);
    poster_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dead_letter_is_the_record_byte_for_byte_and_where_it_was),
        cmocka_unit_test(only_a_count_of_replays_is_told),
        cmocka_unit_test(a_record_that_may_hold_a_code_goes_without_value_and_headers),
        cmocka_unit_test(what_is_too_large_goes_smaller_wherever_that_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the headers of a dead letter say, and which letters a filter picks. */
#include <stdio.h>
#include <string.h>

#include "common/domain/job.h"
#include "ctl/letter.h"
#include "tests/check.h"

#define AT "2026-11-24T00:00:00.123Z"
#define AT_US INT64_C(1795478400123000)
#define N_OURS 5

static const struct letter_header ours[N_OURS] = {
    {"sendcode-error",     "v is not 1",    10},
    {"sendcode-topic",     "sendcode.jobs", 13},
    {"sendcode-partition", "7",             1 },
    {"sendcode-offset",    "42",            2 },
    {"sendcode-at",        AT,              24},
};

/* The headers of a letter, and one more before (or instead of the i-th, when i is one of them). */
static bool read_with(struct letter *l, struct letter_header h[N_OURS + 1],
                      const struct letter_header *more, size_t i)
{
    size_t n = 0;

    if (more)
        h[n++] = *more;
    for (size_t k = 0; k < N_OURS; k++)
        if (k != i)
            h[n++] = ours[k];
    *l = (struct letter){.headers = h, .n_headers = n};
    return letter_read(l);
}

static void read_plain(struct letter *l, struct letter_header h[N_OURS + 1], const char *replays)
{
    const struct letter_header more = {"sendcode-replays", replays, replays ? strlen(replays) : 0};

    assert_true(read_with(l, h, replays ? &more : NULL, N_OURS));
}

static void a_letter_tells_where_its_record_was(void **state)
{
    struct letter_header h[N_OURS + 1];
    struct letter l;

    (void)state;
    read_plain(&l, h, NULL);
    assert_string_equal(l.error, "v is not 1");
    assert_string_equal(l.from_topic, "sendcode.jobs");
    assert_int_equal(l.from_partition, 7);
    assert_int_equal(l.from_offset, 42);
    assert_int_equal(l.at_us, AT_US);
    assert_int_equal(l.replays, 0);
    assert_false(l.omitted);
    assert_string_equal(l.reason, "version");
}

static void replays_are_counted_and_nonsense_counts_as_none(void **state)
{
    static const struct {
        const char *text;
        int replays;
    } cases[] = {
        {"1",                    1 },
        {"12",                   12},
        {"0",                    0 },
        {"-1",                   0 },
        {"",                     0 },
        {"1x",                   0 },
        {"99999999999999999999", 0 },
    };
    struct letter_header h[N_OURS + 1];
    struct letter l;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        read_plain(&l, h, cases[i].text);
        assert_int_equal(l.replays, cases[i].replays);
    }
}

static void the_workers_own_header_wins_over_one_that_the_record_had(void **state)
{
    static const struct letter_header forged = {"sendcode-offset", "1", 1};
    static const struct letter_header omitted = {"sendcode-omitted", "size", 4};
    struct letter_header h[N_OURS + 1];
    struct letter l;

    (void)state;
    assert_true(read_with(&l, h, &forged, N_OURS));
    assert_int_equal(l.from_offset, 42);
    assert_true(read_with(&l, h, &omitted, N_OURS));
    assert_true(l.omitted);
}

static void what_lacks_a_header_or_has_a_bad_one_is_no_dead_letter(void **state)
{
    static const struct letter_header bad[N_OURS] = {
        {"sendcode-error",     "two\0parts",           9 },
        {"sendcode-topic",     NULL,                   0 },
        {"sendcode-partition", "-1",                   2 },
        {"sendcode-offset",    "9999999999999999999",  19},
        {"sendcode-at",        "2026-11-24 00:00:00Z", 20},
    };
    struct letter_header h[N_OURS + 1];
    struct letter l;

    (void)state;
    for (size_t i = 0; i < N_OURS; i++) {
        assert_false(read_with(&l, h, NULL, i));
        assert_false(read_with(&l, h, &bad[i], i));
    }
}

static void every_fault_has_its_label_also_when_the_error_counts_replays(void **state)
{
    (void)state;
    for (enum job_fault f = JOB_OK + 1; f < JOB_FAULT_COUNT; f++) {
        static const char *const tails[] = {"", " (replayed 1 time)", " (replayed 12 times)"};
        for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
            struct letter_header h[N_OURS + 1];
            char text[LETTER_TEXT_SIZE];
            struct letter l;

            snprintf(text, sizeof text, "%s%s", job_fault_to_text(f), tails[i]);
            const struct letter_header error = {"sendcode-error", text, strlen(text)};
            assert_true(read_with(&l, h, &error, 0));
            assert_string_equal(l.reason, job_fault_to_label(f));
        }
    }
}

static void a_text_that_no_worker_of_ours_writes_is_other(void **state)
{
    static const struct letter_header error = {"sendcode-error", "v is not 12", 11};
    struct letter_header h[N_OURS + 1];
    struct letter l;

    (void)state;
    assert_true(read_with(&l, h, &error, 0));
    assert_string_equal(l.reason, "other");
}

static void a_filter_picks_by_reason_time_and_partition(void **state)
{
    static const struct {
        struct letter_filter filter;
        bool matches;
    } cases[] = {
        {{NULL, INT64_MIN, INT64_MAX, -1},           true },
        {{"version", INT64_MIN, INT64_MAX, -1},      true },
        {{"is not 1", INT64_MIN, INT64_MAX, -1},     true },
        {{"job_id", INT64_MIN, INT64_MAX, -1},       false},
        {{"phone", INT64_MIN, INT64_MAX, -1},        false},
        {{"nothing like", INT64_MIN, INT64_MAX, -1}, false},
        {{NULL, AT_US, INT64_MAX, -1},               true },
        {{NULL, AT_US + 1, INT64_MAX, -1},           false},
        {{NULL, INT64_MIN, AT_US + 1, -1},           true },
        {{NULL, INT64_MIN, AT_US, -1},               false},
        {{NULL, INT64_MIN, INT64_MAX, 7},            true },
        {{NULL, INT64_MIN, INT64_MAX, 0},            false},
        {{"version", AT_US, AT_US + 1, 7},           true },
    };
    struct letter_header h[N_OURS + 1];
    struct letter l;

    (void)state;
    read_plain(&l, h, NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(letter_matches(&l, &cases[i].filter), cases[i].matches);
}

static void a_label_is_never_taken_for_a_part_of_another_text(void **state)
{
    static const struct letter_header error = {"sendcode-error", "scene is not configured", 23};
    static const struct letter_filter scene = {"scene", INT64_MIN, INT64_MAX, -1};
    struct letter_header h[N_OURS + 1];
    struct letter l;

    (void)state;
    assert_true(read_with(&l, h, &error, 0));
    assert_string_equal(l.reason, "unknown_scene");
    assert_false(letter_matches(&l, &scene));
}

static void only_the_prefix_makes_a_header_ours(void **state)
{
    (void)state;
    assert_true(letter_header_is_ours(&(struct letter_header){"sendcode-replays", "", 0}));
    assert_true(letter_header_is_ours(&(struct letter_header){"sendcode-x", "", 0}));
    assert_false(letter_header_is_ours(&(struct letter_header){"traceparent", "", 0}));
    assert_false(letter_header_is_ours(&(struct letter_header){"x-sendcode-x", "", 0}));
    assert_false(letter_header_is_ours(&(struct letter_header){"sendcode", "", 0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_letter_tells_where_its_record_was),
        cmocka_unit_test(replays_are_counted_and_nonsense_counts_as_none),
        cmocka_unit_test(the_workers_own_header_wins_over_one_that_the_record_had),
        cmocka_unit_test(what_lacks_a_header_or_has_a_bad_one_is_no_dead_letter),
        cmocka_unit_test(every_fault_has_its_label_also_when_the_error_counts_replays),
        cmocka_unit_test(a_text_that_no_worker_of_ours_writes_is_other),
        cmocka_unit_test(a_filter_picks_by_reason_time_and_partition),
        cmocka_unit_test(a_label_is_never_taken_for_a_part_of_another_text),
        cmocka_unit_test(only_the_prefix_makes_a_header_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

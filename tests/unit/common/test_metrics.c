/* Metrics in Prometheus' text format, back-off and the window. */
#include <string.h>

#include "common/backoff.h"
#include "common/buf.h"
#include "common/metrics.h"
#include "common/window.h"
#include "tests/check.h"

static void families_are_there_from_the_start_and_cells_once_made(void **state)
{
    (void)state;
    struct metrics *m = metrics_new();
    struct metric_family *jobs =
        metrics_family(m, METRIC_COUNTER, "jobs_total", "Jobs by\noutcome \\.", "outcome");
    struct metric_family *window =
        metrics_family(m, METRIC_GAUGE, "window", "Open \"window\".", NULL);
    struct buf b = BUF_INIT;
    metrics_render(m, &b);
    assert_string_equal(buf_text(&b), "# HELP jobs_total Jobs by\\noutcome \\\\.\n"
                                      "# TYPE jobs_total counter\n"
                                      "# HELP window Open \"window\".\n"
                                      "# TYPE window gauge\n"
                                      "window 0\n");
    metric_add(metrics_cell(jobs, "sent"), 1);
    metric_add(metrics_cell(jobs, "a\"b\\c\nd"), 0);
    metric_add(metrics_cell(jobs, "sent"), 1);
    metric_set(metrics_cell(window, NULL), 0.25);
    buf_clear(&b);
    metrics_render(m, &b);
    assert_string_equal(buf_text(&b), "# HELP jobs_total Jobs by\\noutcome \\\\.\n"
                                      "# TYPE jobs_total counter\n"
                                      "jobs_total{outcome=\"sent\"} 2\n"
                                      "jobs_total{outcome=\"a\\\"b\\\\c\\nd\"} 0\n"
                                      "# HELP window Open \"window\".\n"
                                      "# TYPE window gauge\n"
                                      "window 0.25\n");
    metrics_drop(jobs, "sent");
    metrics_drop(jobs, "never there");
    (void)metrics_cell(jobs, "sent");
    buf_clear(&b);
    metrics_render(m, &b);
    assert_non_null(strstr(buf_text(&b), "\njobs_total{outcome=\"sent\"} 0\n"));
    buf_free(&b);
    metrics_free(m);
    metrics_free(NULL);
}

static void large_counters_keep_their_last_digit(void **state)
{
    (void)state;
    struct metrics *m = metrics_new();
    struct metric_family *f = metrics_family(m, METRIC_COUNTER, "n_total", "N.", NULL);
    metric_add(metrics_cell(f, NULL), 123456789012345.0);
    struct buf b = BUF_INIT;
    metrics_render(m, &b);
    assert_non_null(strstr(buf_text(&b), "\nn_total 123456789012345\n"));
    buf_free(&b);
    metrics_free(m);
}

static void a_histogram_counts_into_cumulative_buckets_of_seconds(void **state)
{
    (void)state;
    struct metrics *m = metrics_new();
    struct metric_family *f =
        metrics_family(m, METRIC_HISTOGRAM, "stage_seconds", "Stages.", "stage");
    struct metric_cell *claim = metrics_cell(f, "claim");
    static const int64_t observed_us[] = {0, 500, 501, 60000000, 60000001, 2500};
    for (size_t i = 0; i < ARRAY_LEN(observed_us); i++) {
        metric_observe_us(claim, observed_us[i]);
    }
    struct buf b = BUF_INIT;
    metrics_render(m, &b);
    static const char *const lines[] = {
        "# TYPE stage_seconds histogram\n",
        "stage_seconds_bucket{stage=\"claim\",le=\"0.0005\"} 2\n",
        "stage_seconds_bucket{stage=\"claim\",le=\"0.001\"} 3\n",
        "stage_seconds_bucket{stage=\"claim\",le=\"0.0025\"} 4\n",
        "stage_seconds_bucket{stage=\"claim\",le=\"30\"} 4\n",
        "stage_seconds_bucket{stage=\"claim\",le=\"60\"} 5\n",
        "stage_seconds_bucket{stage=\"claim\",le=\"+Inf\"} 6\n",
        "stage_seconds_sum{stage=\"claim\"} 120.003502\n",
        "stage_seconds_count{stage=\"claim\"} 6\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        if (strstr(buf_text(&b), lines[i]) == NULL) {
            fail_msg("no %s in %s", lines[i], buf_text(&b));
        }
    }
    buf_free(&b);
    metrics_free(m);
}

static void a_histogram_without_label_has_only_le(void **state)
{
    (void)state;
    struct metrics *m = metrics_new();
    (void)metrics_family(m, METRIC_HISTOGRAM, "x_seconds", "X.", NULL);
    struct buf b = BUF_INIT;
    metrics_render(m, &b);
    assert_non_null(strstr(buf_text(&b), "\nx_seconds_bucket{le=\"0.0005\"} 0\n"));
    assert_non_null(strstr(buf_text(&b), "\nx_seconds_sum 0.000000\nx_seconds_count 0\n"));
    buf_free(&b);
    metrics_free(m);
}

static uint32_t random_value;

static uint32_t given_random(void)
{
    return random_value;
}

static void a_back_off_grows_between_its_bounds(void **state)
{
    (void)state;
    backoff_set_random(given_random);
    static const int64_t most[] = {100, 200, 400, 800, 1000, 1000, 1000};
    struct backoff low = {.base_us = 100, .cap_us = 1000};
    struct backoff high = low;
    for (size_t i = 0; i < ARRAY_LEN(most); i++) {
        random_value = 0;
        assert_int_equal(backoff_next_us(&low), 50);
        random_value = UINT32_MAX;
        assert_int_equal(backoff_next_us(&high), most[i]);
    }
    backoff_reset(&high);
    assert_int_equal(backoff_next_us(&high), 100);
    struct backoff huge = {.base_us = INT64_MAX / 3, .cap_us = INT64_MAX, .tries = 1000000};
    assert_true(backoff_next_us(&huge) > INT64_MAX / 2);
    backoff_set_random(NULL);
    uint32_t seen = 0;
    for (int i = 0; i < 64; i++) {
        seen |= backoff_random();
    }
    assert_int_equal(seen, UINT32_MAX);
}

static void a_window_opens_by_one_a_window_and_halves_once(void **state)
{
    (void)state;
    struct window w;
    window_init(&w, 8);
    assert_int_equal(w.size, 8);
    window_on_failure(&w, 7);
    assert_int_equal(w.size, 4);
    for (int i = 7; i > 0; i--) {
        window_on_failure(&w, (unsigned)i - 1); /* the other seven of the old window */
    }
    assert_int_equal(w.size, 4);
    window_on_failure(&w, 0);
    assert_int_equal(w.size, 2);
    for (int i = 0; i < 2; i++) {
        window_on_success(&w);
    }
    assert_int_equal(w.size, 3);
    for (int i = 0; i < 2; i++) {
        window_on_success(&w);
    }
    assert_int_equal(w.size, 3);
    window_on_success(&w);
    assert_int_equal(w.size, 4);
    for (int i = 0; i < 1000; i++) {
        window_on_success(&w);
    }
    assert_int_equal(w.size, 8);
    for (int i = 0; i < 1000; i++) {
        window_on_failure(&w, 3);
    }
    assert_int_equal(w.size, 1);
}

static void a_window_that_few_used_closes_as_fast(void **state)
{
    (void)state;
    struct window w;
    window_init(&w, 64);
    window_on_failure(&w, 1); /* two were under way together */
    window_on_failure(&w, 0);
    assert_int_equal(w.size, 32);
    window_on_failure(&w, 0);
    window_on_failure(&w, 0);
    assert_int_equal(w.size, 8);
}

static void a_new_maximum_keeps_an_open_window_open(void **state)
{
    (void)state;
    struct window w;
    window_init(&w, 0);
    assert_int_equal(w.size, 1);
    window_set_max(&w, 10);
    assert_int_equal(w.size, 10);
    window_on_failure(&w, 9);
    window_set_max(&w, 20);
    assert_int_equal(w.size, 5);
    window_set_max(&w, 3);
    assert_int_equal(w.size, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families_are_there_from_the_start_and_cells_once_made),
        cmocka_unit_test(large_counters_keep_their_last_digit),
        cmocka_unit_test(a_histogram_counts_into_cumulative_buckets_of_seconds),
        cmocka_unit_test(a_histogram_without_label_has_only_le),
        cmocka_unit_test(a_back_off_grows_between_its_bounds),
        cmocka_unit_test(a_window_that_few_used_closes_as_fast),
        cmocka_unit_test(a_window_opens_by_one_a_window_and_halves_once),
        cmocka_unit_test(a_new_maximum_keeps_an_open_window_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

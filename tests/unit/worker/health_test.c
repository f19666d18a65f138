/* Readiness: what is said of a service that is away, in the log and in /readyz. */
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "tests/check.h"
#include "worker/health.h"

static int64_t now_us;
static int lines;
static char last[512];

static int64_t clock_now(void)
{
    return now_us;
}

static void on_log(void *arg, const char *line, size_t len)
{
    (void)arg;
    lines++;
    snprintf(last, sizeof last, "%.*s", (int)len, line);
}

static int set_up(void **state)
{
    static const struct clock_source clock = {clock_now, clock_now};

    (void)state;
    lines = 0;
    clock_set_source(&clock);
    log_set_sink(on_log, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    log_set_sink(NULL, NULL);
    clock_set_source(NULL);
    return 0;
}

static void an_outage_is_logged_once_then_at_intervals_with_a_count(void **state)
{
    struct health h;

    (void)state;
    health_init(&h);
    health_report(&h, SERVICE_CLAIMS, NULL);
    assert_int_equal(lines, 0); /* it never was away */
    for (int i = 0; i < 100; i++) {
        health_report(&h, SERVICE_CLAIMS, "disk full");
        now_us += 100 * US_PER_MS;
    }
    assert_int_equal(lines, 1);
    assert_non_null(strstr(last, "level=warn"));
    assert_non_null(strstr(last, "why=\"disk full\""));
    now_us += 30 * US_PER_S;
    health_report(&h, SERVICE_CLAIMS, "still full");
    assert_int_equal(lines, 2);
    assert_non_null(strstr(last, "why=\"still full\" not_logged=99"));
    health_report(&h, SERVICE_CLAIMS, NULL);
    health_report(&h, SERVICE_CLAIMS, NULL);
    assert_int_equal(lines, 3);
    assert_non_null(strstr(last, "service is back"));
    health_report(&h, SERVICE_CLAIMS, "away again");
    assert_int_equal(lines, 4); /* a new outage waits for no interval */
}

static void readiness_names_each_service_that_is_away(void **state)
{
    struct health h;
    struct buf why = BUF_INIT;

    (void)state;
    health_init(&h);
    for (int s = 0; s < SERVICE_COUNT; s++)
        health_report(&h, (enum service)s, NULL);
    health_say(&h, &why);
    assert_int_equal(why.len, 0);
    health_report(&h, SERVICE_KAFKA_IN, "no broker");
    health_report(&h, SERVICE_OUTCOMES, "a lock");
    health_report(&h, SERVICE_OUTCOMES, "a full disk");
    health_say(&h, &why);
    assert_string_equal(buf_text(&why),
                        "kafka (jobs): no broker; postgres (outcomes): a full disk");
    buf_free(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_outage_is_logged_once_then_at_intervals_with_a_count,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(readiness_names_each_service_that_is_away, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

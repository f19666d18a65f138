/* What kafka_health says, when, and how often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "worker/kafka/kafka_health.h"
/* cmocka needs setjmp and stdarg */
#include <cmocka.h>

#include "common/clock.h"

struct said {
    int times;
    char why[512]; /* "" when all is well */
};

static int64_t now_us;
static int warnings;

static int64_t fake_now(void)
{
    return now_us;
}

static const struct clock_source fake_clock = {.boot_us = fake_now, .wall_us = fake_now};

static void count_warnings(UNUSED void *arg, const char *line, UNUSED size_t len)
{
    warnings += strstr(line, "level=warn") != NULL;
}

static void on_said(void *arg, const char *why)
{
    struct said *s = arg;

    s->times++;
    snprintf(s->why, sizeof(s->why), "%s", why ? why : "");
}

static int set_up(UNUSED void **state)
{
    now_us = 1000 * US_PER_S;
    warnings = 0;
    clock_set_source(&fake_clock);
    log_set_sink(count_warnings, NULL);
    return 0;
}

static int tear_down(UNUSED void **state)
{
    clock_set_source(NULL);
    log_set_sink(NULL, NULL);
    return 0;
}

static void the_reason_and_what_to_change_are_said(UNUSED void **state)
{
    static const struct {
        rd_kafka_resp_err_t err;
        const char *text, *expected;
    } table[] = {
        {RD_KAFKA_RESP_ERR__TRANSPORT,      "Connection refused",                     "bootstrap.servers"           },
        {RD_KAFKA_RESP_ERR__RESOLVE,        "Name not known",                         "bootstrap.servers"           },
        {RD_KAFKA_RESP_ERR__SSL,            "certificate verify failed",              "ssl.ca.location"             },
        {RD_KAFKA_RESP_ERR__AUTHENTICATION, "PLAIN refused",                          "SENDCODE_KAFKA_SASL_PASSWORD"},
        {RD_KAFKA_RESP_ERR__AUTHENTICATION, "invalid credentials with SCRAM-SHA-256",
         "librdkafka before 2.6.1"                                                                                  },
    };

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct said s = {0};
        struct kafka_health h;
        kafka_health_init(&h, "consumer", "kafka-1:9092", on_said, &s);
        kafka_health_on_error(&h, table[i].err, table[i].text);
        assert_int_equal(s.times, 0); /* one broker of several, maybe */
        kafka_health_on_error(&h, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "1/1 brokers are down");
        assert_int_equal(s.times, 1);
        assert_non_null(strstr(s.why, "kafka-1:9092"));
        assert_non_null(strstr(s.why, table[i].text));
        if (i < 4 || rd_kafka_version() < 0x020601ff)
            assert_non_null(strstr(s.why, table[i].expected));
    }
}

static void it_is_said_on_changes_and_logged_again_at_intervals(UNUSED void **state)
{
    struct said s = {0};
    struct kafka_health h;

    kafka_health_init(&h, "consumer", "b", on_said, &s);
    for (int i = 0; i < 5; i++)
        kafka_health_on_error(&h, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "all down");
    assert_int_equal(s.times, 1);
    assert_int_equal(warnings, 1);
    for (int i = 0; i < 59; i++) {
        kafka_health_tick(&h);
        now_us += US_PER_S;
    }
    assert_int_equal(warnings, 1);
    now_us += 2 * US_PER_S;
    kafka_health_tick(&h);
    assert_int_equal(warnings, 2);
    kafka_health_on_alive(&h);
    kafka_health_on_alive(&h);
    assert_int_equal(s.times, 2);
    assert_string_equal(s.why, "");
}

static void statistics_that_show_no_connection_say_so_at_last(UNUSED void **state)
{
    static const struct {
        enum broker_sight seen[4];
        bool down;
    } table[] = {
        {{BROKERS_UP, BROKERS_FAILING, BROKERS_FAILING, BROKERS_FAILING},      true },
        {{BROKERS_FAILING, BROKERS_FAILING, BROKERS_FAILING, BROKERS_FAILING}, true },
        {{BROKERS_FAILING, BROKERS_FAILING, BROKERS_UP, BROKERS_FAILING},      false},
        {{BROKERS_FAILING, BROKERS_FAILING, BROKERS_IDLE, BROKERS_FAILING},    false},
        {{BROKERS_UP, BROKERS_IDLE, BROKERS_IDLE, BROKERS_IDLE},               false},
    };

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct said s = {0};
        struct kafka_health h;
        kafka_health_init(&h, "producer", "kafka-1:9092", on_said, &s);
        for (size_t k = 0; k < ARRAY_LEN(table[i].seen); k++)
            kafka_health_on_brokers(&h, table[i].seen[k]);
        assert_int_equal(strstr(s.why, "no Kafka broker is usable at kafka-1:9092") != NULL,
                         table[i].down);
        kafka_health_on_brokers(&h, BROKERS_UP);
        assert_string_equal(s.why, "");
    }
}

/* Statistics that were made before the last broker went, but come after it is said. */
static void a_late_sight_of_a_broker_hides_an_outage_for_a_while_only(UNUSED void **state)
{
    struct said s = {0};
    struct kafka_health h;

    kafka_health_init(&h, "producer", "b", on_said, &s);
    kafka_health_on_error(&h, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "all down");
    kafka_health_on_brokers(&h, BROKERS_UP);
    assert_string_equal(s.why, "");
    for (int i = 0; i < 3; i++)
        kafka_health_on_brokers(&h, BROKERS_FAILING);
    assert_non_null(strstr(s.why, "no Kafka broker"));
}

static void the_gravest_condition_is_said_and_the_next_when_it_ends(UNUSED void **state)
{
    struct said s = {0};
    struct kafka_health h;

    kafka_health_init(&h, "producer", "b", on_said, &s);
    kafka_health_on_topic(&h, "sendcode.jobs", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    assert_non_null(strstr(s.why, "sendcode.jobs"));
    kafka_health_on_error(&h, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "all down");
    assert_non_null(strstr(s.why, "no Kafka broker"));
    kafka_health_on_fatal(&h, "fenced");
    assert_non_null(strstr(s.why, "fenced"));
    kafka_health_on_fatal(&h, NULL);
    assert_non_null(strstr(s.why, "no Kafka broker"));
    kafka_health_on_alive(&h);
    assert_non_null(strstr(s.why, "sendcode.jobs"));
    kafka_health_on_topic_good(&h);
    assert_string_equal(s.why, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_reason_and_what_to_change_are_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_said_on_changes_and_logged_again_at_intervals, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(statistics_that_show_no_connection_say_so_at_last, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_late_sight_of_a_broker_hides_an_outage_for_a_while_only,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_gravest_condition_is_said_and_the_next_when_it_ends,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

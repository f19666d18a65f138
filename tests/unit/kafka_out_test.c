/* kafka_out against librdkafka's mock cluster, on the real loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/kafka/kafka_out.h"
/* cmocka needs setjmp and stdarg */
#include <cmocka.h>

#include "tests/unit/kafka_poster.h"
#include "worker/kafka/kafka_out_private.h"

#define API_PRODUCE 0

static void an_event_has_its_job_as_key_and_the_trace_as_headers(UNUSED void **state)
{
    struct rig r;
    struct poster p;
    struct rig_message m[2];
    struct job_status s = {.job_id = "a:1",
                           .phone = "+8613800138000",
                           .scene = "login",
                           .state = JOB_LIMITED,
                           .reason = REASON_COOLDOWN,
                           .seq = 3,
                           .traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                           .tracestate = "a=b"};

    rig_open_mock(&r, 1, true);
    poster_open(&p, &r);
    p.port.publish(p.port.self, 0, &s);
    assert_int_equal(p.published, 0); /* never before it returns */
    assert_int_equal(p.port.unacked(p.port.self), 1);
    poster_await(&p, 1);
    poster_publish(&p, 1);
    poster_await(&p, 2);
    poster_assert_each_once(&p, 2);
    rig_read(&r, r.events, m, 2);
    assert_string_equal(m[0].key, "a:1");
    assert_non_null(strstr(m[0].value, "\"state\":\"limited\""));
    assert_non_null(strstr(m[0].value, "\"seq\":3"));
    assert_null(strstr(m[0].value, "138000"));
    assert_string_equal(rig_header(&m[0], "traceparent"), s.traceparent);
    assert_string_equal(rig_header(&m[0], "tracestate"), "a=b");
    assert_string_equal(m[1].key, "job-1");
    assert_int_equal(m[1].n_headers, 0);
    poster_close(&p);
}

static void a_refused_message_is_repeated_until_it_is_taken(UNUSED void **state)
{
    struct rig r;
    struct poster p;

    rig_open_mock(&r, 1, true);
    poster_open(&p, &r);
    rd_kafka_mock_push_request_errors(r.mock, API_PRODUCE, 2,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    poster_publish(&p, 0);
    rig_wait(&r, poster_is_unwell, &p, "the refusal to be said");
    assert_non_null(strstr(p.why, r.events));
    poster_await(&p, 1);
    assert_string_equal(p.why, "");
    poster_assert_each_once(&p, 1);
    poster_close(&p);
}

static void a_fatal_error_replaces_the_producer_and_loses_nothing(UNUSED void **state)
{
    struct rig r;
    struct poster p;

    rig_open_mock(&r, 1, true);
    poster_open(&p, &r);
    poster_publish(&p, 0);
    poster_await(&p, 1);
    for (uint64_t i = 1; i < 50; i++)
        poster_publish(&p, i);
    rd_kafka_t *before = p.out->rk;
    rd_kafka_test_fatal_error(before, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "a test");
    for (uint64_t i = 50; i < 100; i++)
        poster_publish(&p, i);
    poster_await(&p, 100);
    poster_assert_each_once(&p, 100);
    assert_string_equal(p.why, "");
    poster_close(&p);
}

static void a_missing_topic_is_named_with_the_remedy_and_awaited(UNUSED void **state)
{
    struct rig r;
    struct poster p;
    struct record rec = {.partition = 11, .key = "k", .key_len = 1};

    rig_open_mock(&r, 1, false);
    rig_set(&r, "topic.metadata.refresh.interval.ms", "300");
    rig_set(&r, "topic.metadata.propagation.max.ms", "500");
    poster_open(&p, &r);
    poster_dead_letter(&p, 0, &rec, false);
    rig_wait(&r, poster_is_unwell, &p, "the missing topic to be said");
    assert_non_null(strstr(p.why, r.dead));
    assert_non_null(strstr(p.why, "sendcodectl migrate --topics"));
    poster_publish(&p, 1); /* the other topic is not held up */
    poster_await(&p, 1);
    assert_int_equal(p.times[1], 1);
    assert_non_null(strstr(p.why, r.dead));
    rd_kafka_mock_topic_set_error(r.mock, r.dead, RD_KAFKA_RESP_ERR_NO_ERROR);
    poster_await(&p, 2);
    poster_assert_each_once(&p, 2);
    assert_string_equal(p.why, "");
    poster_close(&p);
}

static void a_full_queue_only_delays(UNUSED void **state)
{
    struct rig r;
    struct poster p;

    rig_open_mock(&r, 1, true);
    rig_set(&r, "queue.buffering.max.messages", "10");
    poster_open(&p, &r);
    for (uint64_t i = 0; i < 500; i++)
        poster_publish(&p, i);
    assert_int_equal(p.port.unacked(p.port.self), 500);
    poster_await(&p, 500);
    poster_assert_each_once(&p, 500);
    assert_false(p.was_unwell);
    poster_close(&p);
}

static void messages_outlive_an_outage_longer_than_their_time_out(UNUSED void **state)
{
    struct rig r;
    struct poster p;

    rig_open_mock(&r, 1, true);
    rig_set(&r, "delivery.timeout.ms", "1000");
    rig_set(&r, "statistics.interval.ms", "200");
    poster_open(&p, &r);
    poster_publish(&p, 0);
    poster_await(&p, 1);
    rd_kafka_mock_broker_set_down(r.mock, 1);
    for (uint64_t i = 1; i < 20; i++)
        poster_publish(&p, i);
    rig_wait(&r, poster_is_unwell, &p, "the outage to be said");
    rig_run_ms(&r, 2000); /* so that they time out in librdkafka */
    assert_int_equal(p.port.unacked(p.port.self), 19);
    rd_kafka_mock_broker_set_up(r.mock, 1);
    poster_await(&p, 20);
    poster_assert_each_once(&p, 20);
    rig_wait(&r, poster_is_well, &p, "the return to be said");
    poster_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_has_its_job_as_key_and_the_trace_as_headers),
        cmocka_unit_test(a_refused_message_is_repeated_until_it_is_taken),
        cmocka_unit_test(a_fatal_error_replaces_the_producer_and_loses_nothing),
        cmocka_unit_test(a_missing_topic_is_named_with_the_remedy_and_awaited),
        cmocka_unit_test(a_full_queue_only_delays),
        cmocka_unit_test(messages_outlive_an_outage_longer_than_their_time_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

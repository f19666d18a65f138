/* kafka_in as a member of its group: rebalances, commits, health; against the mock cluster. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* cmocka needs setjmp and stdarg */
#include <cmocka.h>

#include "common/err.h"
#include "tests/unit/kafka_taker.h"
#include "worker/kafka/kafka_in.h"

#define NO_LIMIT 1000000

static bool has_commits(void *arg)
{
    struct goal *g = arg;
    return g->t->commits_good + g->t->commits_bad >= g->n;
}

static bool is_healthy(void *arg)
{
    return ((struct taker *)arg)->healthy;
}

static bool is_unwell(void *arg)
{
    return ((struct taker *)arg)->why[0] != '\0';
}

static void a_second_worker_takes_its_share_and_goes_on_where_the_first_was(UNUSED void **state)
{
    struct rig r;
    struct taker a, b;
    struct goal committed, two_each, all;

    rig_open_mock(&r, 4, true);
    rig_set(&r, "client.id", "the-same-for-both");
    for (int32_t p = 0; p < 4; p++)
        rig_produce_many(&r, p, 500);
    taker_open(&a, &r, true, NO_LIMIT);
    taker_await(&a, 2000);
    taker_commit(&a); /* the mock refuses commits during a rebalance, unlike Kafka */
    committed = (struct goal){&a, 1};
    rig_wait(&r, has_commits, &committed, "the commit's answer");
    taker_open(&b, &r, true, NO_LIMIT);
    two_each = (struct goal){&b, 2};
    rig_wait(&r, taker_owns_goal, &two_each, "half of the partitions to move");
    assert_int_equal(taker_owns(&a), 2);
    assert_true(a.revoked >= 1);
    for (int32_t p = 0; p < 4; p++)
        rig_produce(&r, p, "k", "v");
    struct goal to_b = {&b, 2}, to_a = {&a, 2002};
    rig_wait(&r, taker_has_delivered, &to_b, "new records at the second worker");
    rig_wait(&r, taker_has_delivered, &to_a, "new records at the first worker");
    rig_run_ms(&r, 100);
    /* Committed before: nothing is met twice. */
    assert_int_equal(a.total, 2002);
    assert_int_equal(b.total, 2);
    taker_close(&a);
    all = (struct goal){&b, 4};
    rig_wait(&r, taker_owns_goal, &all, "all partitions after the first worker left");
    taker_close(&b);
    rig_close(&r);
}

static void what_is_committed_is_not_met_again(UNUSED void **state)
{
    struct rig r;
    struct taker t;
    struct goal one;

    rig_open_mock(&r, 1, true);
    rig_produce_many(&r, 0, 50);
    taker_open(&t, &r, true, 50);
    taker_await(&t, 50);
    taker_commit(&t);
    assert_int_equal(t.commits_good + t.commits_bad, 0); /* never before it returns */
    one = (struct goal){&t, 1};
    rig_wait(&r, has_commits, &one, "the commit's answer");
    assert_int_equal(t.commits_good, 1);
    t.next[0] = -1; /* so that the revocation commits nothing */
    taker_close(&t);
    rig_produce(&r, 0, "k", "fifty");
    taker_open(&t, &r, true, NO_LIMIT);
    taker_await(&t, 1);
    assert_int_equal(t.first[0], 50);
    assert_string_equal(t.value, "fifty");
    taker_close(&t);
    rig_close(&r);
}

static void a_commit_that_fails_or_comes_during_a_rebalance_is_answered_no(UNUSED void **state)
{
    struct rig r;
    struct taker t;
    struct goal g;

    rig_open_mock(&r, 1, true);
    rig_produce_many(&r, 0, 5);
    taker_open(&t, &r, true, NO_LIMIT);
    t.port.commit(t.port.self, &(struct source_offset){.partition = 0, .offset = 1}, 1);
    assert_int_equal(t.commits_bad, 0);
    g = (struct goal){&t, 1};
    rig_wait(&r, has_commits, &g, "the answer to a commit before any assignment");
    assert_int_equal(t.commits_bad, 1);
    taker_await(&t, 5);
    rd_kafka_mock_push_request_errors(r.mock, 8 /* OffsetCommit */, 1,
                                      RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE);
    taker_commit(&t);
    g.n = 2;
    rig_wait(&r, has_commits, &g, "the answer to a refused commit");
    assert_int_equal(t.commits_bad, 2);
    taker_commit(&t);
    g.n = 3;
    rig_wait(&r, has_commits, &g, "the answer to a good commit");
    assert_int_equal(t.commits_good, 1);
    taker_close(&t);
    rig_close(&r);
}

static void a_missing_topic_is_named_with_the_remedy_and_awaited(UNUSED void **state)
{
    struct rig r;
    struct taker t;

    rig_open_mock(&r, 0, true);
    rig_set(&r, "topic.metadata.refresh.interval.ms", "300");
    taker_open(&t, &r, true, NO_LIMIT);
    rig_wait(&r, is_unwell, &t, "the missing topic to be said");
    assert_non_null(strstr(t.why, r.jobs));
    assert_non_null(strstr(t.why, "sendcodectl migrate --topics"));
    rd_kafka_mock_topic_set_error(r.mock, r.jobs, RD_KAFKA_RESP_ERR_NO_ERROR);
    rig_wait(&r, is_healthy, &t, "the topic to be found");
    rig_produce(&r, 0, "k", "v");
    taker_await(&t, 1);
    taker_close(&t);
    rig_close(&r);
}

static bool knows_lag(void *arg)
{
    return ((struct taker *)arg)->lag[0] == 30;
}

static void the_lag_is_told_from_statistics(UNUSED void **state)
{
    struct rig r;
    struct taker t;
    struct goal one;

    rig_open_mock(&r, 1, true);
    rig_set(&r, "statistics.interval.ms", "200");
    rig_produce_many(&r, 0, 50);
    taker_open(&t, &r, true, 20);
    taker_await(&t, 20);
    taker_commit(&t);
    one = (struct goal){&t, 1};
    rig_wait(&r, has_commits, &one, "the commit's answer");
    rig_wait(&r, knows_lag, &t, "a lag of 30");
    taker_close(&t);
    rig_close(&r);
}

static void brokers_away_are_said_once_and_their_return_too(UNUSED void **state)
{
    struct rig r;
    struct taker t;

    rig_open_mock(&r, 1, true);
    rig_set(&r, "statistics.interval.ms", "200");
    rig_produce_many(&r, 0, 3);
    taker_open(&t, &r, true, NO_LIMIT);
    taker_await(&t, 3);
    rd_kafka_mock_broker_set_down(r.mock, 1);
    rig_wait(&r, is_unwell, &t, "the outage to be said");
    assert_non_null(strstr(t.why, "bootstrap.servers"));
    rd_kafka_mock_broker_set_up(r.mock, 1);
    rig_wait(&r, is_healthy, &t, "the return to be said");
    rig_produce(&r, 0, "k", "v");
    taker_await(&t, 4);
    taker_close(&t);
    rig_close(&r);
}

static void closing_with_no_broker_ends_at_once(UNUSED void **state)
{
    struct rig r;
    struct taker t;

    rig_open(&r, "127.0.0.1:1", NULL);
    taker_open(&t, &r, true, NO_LIMIT);
    rig_wait(&r, is_unwell, &t, "the missing broker to be said");
    assert_non_null(strstr(t.why, "127.0.0.1:1"));
    taker_close(&t);
    rig_close(&r);
}

static void a_refused_property_is_named(UNUSED void **state)
{
    struct rig r;
    struct err e = {0};
    struct jobs_source_handlers h = {0};

    rig_open(&r, "127.0.0.1:1", NULL);
    rig_set(&r, "no.such.property", "1");
    assert_null(kafka_in_new(r.loop, &r.settings, &h, &e));
    assert_int_equal(e.class, ERR_PERM);
    assert_non_null(strstr(e.text, "no.such.property"));
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_worker_takes_its_share_and_goes_on_where_the_first_was),
        cmocka_unit_test(what_is_committed_is_not_met_again),
        cmocka_unit_test(a_commit_that_fails_or_comes_during_a_rebalance_is_answered_no),
        cmocka_unit_test(a_missing_topic_is_named_with_the_remedy_and_awaited),
        cmocka_unit_test(the_lag_is_told_from_statistics),
        cmocka_unit_test(brokers_away_are_said_once_and_their_return_too),
        cmocka_unit_test(closing_with_no_broker_ends_at_once),
        cmocka_unit_test(a_refused_property_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

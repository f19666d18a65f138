/*
 * The Kafka adapters against a real Apache Kafka (SENDCODE_TEST_BOOTSTRAP): what the mock cluster
 * cannot show, rebalances under load above all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs setjmp and stdarg */
#include <cmocka.h>

#include "tests/unit/kafka_poster.h"
#include "tests/unit/kafka_taker.h"

#define NO_LIMIT 1000000
#define ADMIN_MS 20000

/* With partitions it has already 0: a new topic; else more partitions for it. */
static void make_partitions(struct rig *r, const char *topic, int n, bool new)
{
    char why[256];
    rd_kafka_queue_t *q = rd_kafka_queue_new(r->producer);
    rd_kafka_NewTopic_t *topics = rd_kafka_NewTopic_new(topic, n, 1, why, sizeof(why));
    rd_kafka_NewPartitions_t *parts =
        rd_kafka_NewPartitions_new(topic, (size_t)n, why, sizeof(why));

    if (new)
        rd_kafka_CreateTopics(r->producer, &topics, 1, NULL, q);
    else
        rd_kafka_CreatePartitions(r->producer, &parts, 1, NULL, q);
    rd_kafka_event_t *ev = rd_kafka_queue_poll(q, ADMIN_MS);
    assert_non_null(ev);
    assert_int_equal(rd_kafka_event_error(ev), 0);
    rd_kafka_event_destroy(ev);
    rd_kafka_NewTopic_destroy(topics);
    rd_kafka_NewPartitions_destroy(parts);
    rd_kafka_queue_destroy(q);
}

static const char *must_getenv(const char *name)
{
    const char *value = getenv(name);

    if (!value)
        fail_msg("%s is not set: run this through ctest", name);
    return value;
}

static void open_real(struct rig *r, int partitions)
{
    rig_open(r, must_getenv("SENDCODE_TEST_BOOTSTRAP"), NULL);
    rig_set(r, "session.timeout.ms", "6000");
    rig_set(r, "topic.metadata.refresh.interval.ms", "1000");
    if (partitions > 0)
        make_partitions(r, r->jobs, partitions, true);
    make_partitions(r, r->dead, 1, true);
    make_partitions(r, r->events, 1, true);
}

struct pair {
    struct taker *a, *b;
    size_t each;
};

static bool owns_all(void *arg)
{
    struct pair *p = arg;
    return taker_owns(p->a) == 2 * p->each;
}

static bool share_evenly(void *arg)
{
    struct pair *p = arg;
    return taker_owns(p->a) == p->each && taker_owns(p->b) == p->each;
}

static bool took_some(void *arg)
{
    struct taker *t = arg;
    return t->total >= 1;
}

static bool is_unwell(void *arg)
{
    return ((struct taker *)arg)->why[0] != '\0';
}

/* Records that keep coming to all partitions, and how far the workers together have met them. */
struct flow {
    struct rig *rig;
    struct loop_timer *timer;
    int partitions;
    int64_t produced[TAKER_PARTITIONS];
    int64_t met[TAKER_PARTITIONS]; /* one past the highest offset delivered */
    bool gap;                      /* an offset was passed over */
};

static void flow_on(void *arg)
{
    struct flow *f = arg;

    for (int32_t i = 0; i < f->partitions; i++, f->produced[i - 1]++)
        rig_send(f->rig, i, "k", "v");
    loop_timer_start(f->timer, 2 * US_PER_MS);
}

static void flow_meet(void *arg, const struct record *rec)
{
    struct flow *f = arg;
    int64_t *met = &f->met[rec->partition];

    f->gap = f->gap || rec->offset > *met;
    *met = MAX(*met, rec->offset + 1);
}

static bool flow_is_met(void *arg)
{
    struct flow *f = arg;

    for (int i = 0; i < f->partitions; i++)
        if (f->met[i] < f->produced[i])
            return false;
    return true;
}

static void join(struct taker *t, struct flow *f)
{
    taker_open(t, f->rig, true, NO_LIMIT);
    t->hook = flow_meet;
    t->hook_arg = f;
}

/* Another worker comes and goes while records flow; what they met is committed when they leave. */
static void rebalance_under_load(const char *strategy, bool cooperative)
{
    enum { PARTS = 4 };
    struct rig r;
    struct taker a, b, c;
    struct pair p = {.a = &a, .b = &b, .each = PARTS / 2};
    struct flow f = {.rig = &r, .partitions = PARTS};

    open_real(&r, PARTS);
    rig_set(&r, "partition.assignment.strategy", strategy);
    join(&a, &f);
    rig_wait(&r, owns_all, &p, "the first worker to own everything");
    f.timer = loop_timer_new(r.loop, flow_on, &f);
    flow_on(&f);
    join(&b, &f);
    rig_wait(&r, share_evenly, &p, "an even share");
    /* Cooperative: only what moved was revoked. */
    assert_int_equal(a.revoked_partitions, cooperative ? PARTS / 2 : PARTS);
    rig_wait(&r, took_some, &b, "records at the second worker");
    taker_close(&b);
    rig_wait(&r, owns_all, &p, "the first worker to own everything again");
    loop_timer_free(f.timer);
    rig_wait(&r, flow_is_met, &f, "all records to be met");
    assert_int_equal(a.lost + b.lost, 0);
    taker_close(&a);
    join(&c, &f);
    rig_produce(&r, 0, "k", "the last");
    f.produced[0]++;
    rig_wait(&r, flow_is_met, &f, "the last record");
    assert_int_equal(c.total, 1);
    assert_false(f.gap);
    taker_close(&c);
    rig_close(&r);
}

static void range_rebalances_lose_nothing(UNUSED void **state)
{
    rebalance_under_load("range,roundrobin", false);
}

static void cooperative_rebalances_lose_nothing(UNUSED void **state)
{
    rebalance_under_load("cooperative-sticky", true);
}

static void partitions_added_while_running_are_found(UNUSED void **state)
{
    struct rig r;
    struct taker t, none = {0};
    struct pair p = {.a = &t, .b = &none, .each = 2};

    open_real(&r, 2);
    taker_open(&t, &r, true, NO_LIMIT);
    make_partitions(&r, r.jobs, 4, false);
    rig_wait(&r, owns_all, &p, "the new partitions");
    rig_produce(&r, 3, "k", "v");
    rig_wait(&r, took_some, &t, "a record of a new partition");
    assert_int_equal(t.seen[3], 1);
    taker_close(&t);
    rig_close(&r);
}

static void a_topic_made_later_is_found(UNUSED void **state)
{
    struct rig r;
    struct taker t;

    open_real(&r, 0);
    taker_open(&t, &r, true, NO_LIMIT);
    rig_wait(&r, is_unwell, &t, "the missing topic to be said");
    assert_non_null(strstr(t.why, r.jobs));
    assert_non_null(strstr(t.why, "sendcodectl migrate --topics"));
    make_partitions(&r, r.jobs, 1, true);
    rig_produce(&r, 0, "k", "v");
    rig_wait(&r, took_some, &t, "a record of the new topic");
    assert_true(t.healthy);
    taker_close(&t);
    rig_close(&r);
}

static void bury(void *arg, const struct record *rec)
{
    poster_dead_letter(arg, 0, rec, false);
}

static void a_record_too_large_to_be_produced_again_goes_without_value(UNUSED void **state)
{
    enum { HUGE = 8 * 1000 * 1000 };
    struct rig r;
    struct taker t;
    struct poster p;
    struct rig_message m;
    char *text = malloc(HUGE + 1);

    memset(text, 'x', HUGE);
    text[HUGE] = '\0';
    open_real(&r, 1);
    poster_open(&p, &r);
    rig_produce(&r, 0, "+8613800138000", text);
    taker_open(&t, &r, true, NO_LIMIT);
    t.hook = bury;
    t.hook_arg = &p;
    poster_await(&p, 1);
    assert_int_equal(t.value_len, HUGE);
    rig_read(&r, r.dead, &m, 1);
    assert_string_equal(m.key, "+8613800138000");
    assert_true(m.value_null);
    assert_string_equal(rig_header(&m, "sendcode-omitted"), "size");
    assert_string_equal(rig_header(&m, "sendcode-topic"), r.jobs);
    taker_close(&t);
    poster_close(&p);
    free(text);
}

static void read_line(const char *name, char *out, int size)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/%s", must_getenv("SENDCODE_TEST_SECURE"), name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(out, size, f));
    fclose(f);
    out[strcspn(out, "\n")] = '\0';
}

static void tls_and_sasl_are_spoken_and_a_wrong_password_is_said(UNUSED void **state)
{
    char brokers[64], user[64], password[64], ca[512];
    struct rig r;
    struct taker t;
    struct poster p;

    read_line("secure.bootstrap", brokers, sizeof(brokers));
    read_line("secure.user", user, sizeof(user));
    read_line("secure.password", password, sizeof(password));
    snprintf(ca, sizeof(ca), "%s/secure.ca.pem", must_getenv("SENDCODE_TEST_SECURE"));
    /* Before, librdkafka's SCRAM fails with this Kafka (its #4895). */
    const char *mechanism = rd_kafka_version() >= 0x020601ff ? "SCRAM-SHA-256" : "PLAIN";
    const char *const extra[] = {"security.protocol",
                                 "SASL_SSL",
                                 "sasl.mechanism",
                                 mechanism,
                                 "sasl.username",
                                 user,
                                 "sasl.password",
                                 password,
                                 "ssl.ca.location",
                                 ca,
                                 NULL};
    rig_open(&r, brokers, extra);
    make_partitions(&r, r.jobs, 1, true);
    make_partitions(&r, r.events, 1, true);
    poster_open(&p, &r);
    taker_open(&t, &r, true, NO_LIMIT);
    rig_produce(&r, 0, "k", "v");
    rig_wait(&r, took_some, &t, "a record over TLS");
    poster_publish(&p, 0);
    poster_await(&p, 1);
    taker_close(&t);
    rig_set(&r, "sasl.password", "not-the-password");
    taker_open(&t, &r, true, NO_LIMIT);
    rig_wait(&r, is_unwell, &t, "the refusal to be said");
    assert_non_null(strstr(t.why, "uthentication"));
    assert_null(strstr(t.why, "not-the-password"));
    taker_close(&t);
    poster_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(range_rebalances_lose_nothing),
        cmocka_unit_test(cooperative_rebalances_lose_nothing),
        cmocka_unit_test(partitions_added_while_running_are_found),
        cmocka_unit_test(a_topic_made_later_is_found),
        cmocka_unit_test(a_record_too_large_to_be_produced_again_goes_without_value),
        cmocka_unit_test(tls_and_sasl_are_spoken_and_a_wrong_password_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

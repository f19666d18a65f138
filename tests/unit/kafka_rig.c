/* Mock or real cluster and loop for the tests of the Kafka adapters. */
#include "tests/unit/kafka_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka needs setjmp and stdarg */
#include <cmocka.h>

#include "common/clock.h"
#include "common/err.h"

#define WAIT_MAX_US (60 * US_PER_S)
#define POLL_US (2 * US_PER_MS)

void rig_set(struct rig *r, const char *name, const char *value)
{
    size_t i = 0;

    while (i < r->settings.n_kafka && strcmp(r->properties[i].name, name) != 0)
        i++;
    assert_true(i < RIG_PROPERTIES);
    if (i == r->settings.n_kafka) {
        r->properties[i].name = strdup(name);
        r->properties[i].origin = r->properties[i].name;
        r->settings.n_kafka++;
    } else {
        free(r->properties[i].value);
    }
    r->properties[i].value = strdup(value);
}

static rd_kafka_t *client_new(struct rig *r, rd_kafka_type_t type)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    static const char *const for_all[] = {"bootstrap.servers", "security.protocol",
                                          "sasl.mechanism",    "sasl.username",
                                          "sasl.password",     "ssl.ca.location"};

    for (size_t i = 0; i < ARRAY_LEN(for_all); i++) {
        const char *value = settings_kafka(&r->settings, for_all[i]);
        if (value)
            assert_int_equal(rd_kafka_conf_set(conf, for_all[i], value, why, sizeof(why)), 0);
    }
    assert_int_equal(rd_kafka_conf_set(conf, "socket.nagle.disable", "true", why, sizeof(why)), 0);
    if (type == RD_KAFKA_CONSUMER) {
        assert_int_equal(rd_kafka_conf_set(conf, "group.id", "reader", why, sizeof(why)), 0);
        assert_int_equal(rd_kafka_conf_set(conf, "fetch.wait.max.ms", "5", why, sizeof(why)), 0);
    } else {
        assert_int_equal(rd_kafka_conf_set(conf, "compression.type", "gzip", why, sizeof(why)), 0);
        assert_int_equal(rd_kafka_conf_set(conf, "message.max.bytes", "20000000", why, sizeof(why)),
                         0);
    }
    rd_kafka_conf_set_log_cb(conf, NULL);
    rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof(why));
    assert_non_null(rk);
    return rk;
}

void rig_open(struct rig *r, const char *brokers, const char *const *extra)
{
    static int number;
    struct err e;

    *r = (struct rig){0};
    number++;
    snprintf(r->jobs, sizeof(r->jobs), "jobs.%ld.%d", (long)getpid(), number);
    snprintf(r->events, sizeof(r->events), "events.%ld.%d", (long)getpid(), number);
    snprintf(r->dead, sizeof(r->dead), "dead.%ld.%d", (long)getpid(), number);
    r->settings.topics.jobs = r->jobs;
    r->settings.topics.events = r->events;
    r->settings.topics.dead = r->dead;
    r->settings.kafka = r->properties;
    rig_set(r, "bootstrap.servers", brokers);
    rig_set(r, "group.id", r->jobs);
    for (; extra && *extra; extra += 2)
        rig_set(r, extra[0], extra[1]);
    r->loop = loop_new(&e);
    r->producer = client_new(r, RD_KAFKA_PRODUCER);
}

void rig_open_mock(struct rig *r, int partitions, bool dead)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    /* Of the mock: a new group waits 3 s, a rebalance for the session time-out less 1 s, and an
     * empty fetch as long as it may. */
    static const char *const extra[] = {
        "session.timeout.ms", "4500", "fetch.wait.max.ms", "5", NULL,
    };

    rd_kafka_conf_set_log_cb(conf, NULL);
    rd_kafka_t *host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    assert_non_null(host);
    rd_kafka_mock_cluster_t *mock = rd_kafka_mock_cluster_new(host, 1);
    assert_non_null(mock);
    rig_open(r, rd_kafka_mock_cluster_bootstraps(mock), extra);
    r->host = host;
    r->mock = mock;
    if (partitions > 0)
        assert_int_equal(rd_kafka_mock_topic_create(mock, r->jobs, partitions, 1), 0);
    else
        rd_kafka_mock_topic_set_error(mock, r->jobs, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    assert_int_equal(rd_kafka_mock_topic_create(mock, r->events, 1, 1), 0);
    if (dead)
        assert_int_equal(rd_kafka_mock_topic_create(mock, r->dead, 1, 1), 0);
    else
        rd_kafka_mock_topic_set_error(mock, r->dead, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
}

void rig_close(struct rig *r)
{
    rd_kafka_destroy(r->producer);
    if (r->mock)
        rd_kafka_mock_cluster_destroy(r->mock);
    if (r->host)
        rd_kafka_destroy(r->host);
    loop_free(r->loop);
    for (size_t i = 0; i < r->settings.n_kafka; i++) {
        free(r->properties[i].name);
        free(r->properties[i].value);
    }
}

struct waiting {
    struct rig *rig;
    bool (*cond)(void *arg);
    void *arg;
    struct loop_timer *timer;
    int64_t until_us;
    bool good;
};

static void on_poll(void *arg)
{
    struct waiting *w = arg;

    w->good = w->cond(w->arg);
    if (w->good || clock_boot_us() >= w->until_us)
        loop_stop(w->rig->loop);
    else
        loop_timer_start(w->timer, POLL_US);
}

static bool run_until(struct rig *r, bool (*cond)(void *arg), void *arg, int64_t max_us)
{
    struct waiting w = {.rig = r, .cond = cond, .arg = arg, .until_us = clock_boot_us() + max_us};

    w.timer = loop_timer_new(r->loop, on_poll, &w);
    loop_timer_start(w.timer, 0);
    loop_run(r->loop);
    loop_timer_free(w.timer);
    return w.good;
}

void rig_wait(struct rig *r, bool (*cond)(void *arg), void *arg, const char *what)
{
    if (!run_until(r, cond, arg, WAIT_MAX_US))
        fail_msg("waited in vain: %s", what);
}

static bool never(UNUSED void *arg)
{
    return false;
}

void rig_run_ms(struct rig *r, int ms)
{
    (void)run_until(r, never, NULL, ms * US_PER_MS);
}

void rig_send(struct rig *r, int32_t partition, const char *key, const char *value)
{
    rd_kafka_resp_err_t err = rd_kafka_producev(
        r->producer, RD_KAFKA_V_TOPIC(r->jobs), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, key ? strlen(key) : 0),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)value, value ? strlen(value) : 0),
        RD_KAFKA_V_HEADER("traceparent", "00-ab", -1), RD_KAFKA_V_END);

    assert_int_equal(err, 0);
}

void rig_produce(struct rig *r, int32_t partition, const char *key, const char *value)
{
    rig_send(r, partition, key, value);
    assert_int_equal(rd_kafka_flush(r->producer, 20000), 0);
}

void rig_produce_many(struct rig *r, int32_t partition, int n)
{
    char text[16];

    for (int i = 0; i < n; i++) {
        snprintf(text, sizeof(text), "%d", i);
        rig_send(r, partition, text, text);
    }
    assert_int_equal(rd_kafka_flush(r->producer, 20000), 0);
}

static void read_message(const rd_kafka_message_t *m, struct rig_message *out)
{
    rd_kafka_headers_t *list;

    *out = (struct rig_message){
        .key_null = !m->key, .key_len = m->key_len, .value_null = !m->payload, .value_len = m->len};
    memcpy(out->key, m->key ? m->key : "", MIN(m->key_len, sizeof(out->key) - 1));
    memcpy(out->value, m->payload ? m->payload : "", MIN(m->len, sizeof(out->value) - 1));
    if (rd_kafka_message_headers(m, &list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    out->n_headers = (int)rd_kafka_header_cnt(list);
    for (size_t i = 0; i < rd_kafka_header_cnt(list) && i < RIG_HEADERS; i++) {
        const char *name;
        const void *value;
        size_t len;
        assert_int_equal(rd_kafka_header_get_all(list, i, &name, &value, &len), 0);
        snprintf(out->headers[i].name, RIG_TEXT, "%s", name);
        out->headers[i].null = !value;
        memcpy(out->headers[i].value, value ? value : "", MIN(len, (size_t)255));
    }
}

void rig_read(struct rig *r, const char *topic, struct rig_message *out, int n)
{
    rd_kafka_t *reader = client_new(r, RD_KAFKA_CONSUMER);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    int64_t until_us = clock_boot_us() + WAIT_MAX_US;
    int got = 0;

    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
    assert_int_equal(rd_kafka_assign(reader, list), 0);
    while (got < n && clock_boot_us() < until_us) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(reader, 100);
        if (m && !m->err)
            read_message(m, &out[got++]);
        if (m)
            rd_kafka_message_destroy(m);
    }
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(reader);
    assert_int_equal(got, n);
}

const char *rig_header(const struct rig_message *m, const char *name)
{
    const char *found = NULL;

    for (int i = 0; i < m->n_headers && i < RIG_HEADERS; i++)
        if (strcmp(m->headers[i].name, name) == 0)
            found = m->headers[i].value;
    return found;
}

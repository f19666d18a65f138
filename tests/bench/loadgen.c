/*
 * loadgen BROKERS TOPIC COUNT RATE: publishes COUNT jobs, each of its own phone, at RATE a second
 * (0: as fast as it can). A job's id tells when it was published: b-MICROSECONDS-NUMBER.
 */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static long long clock_us(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static rd_kafka_t *make_producer(const char *brokers)
{
    static const char *const properties[][2] = {
        {"linger.ms",                    "2"      },
        {"socket.nagle.disable",         "true"   },
        {"queue.buffering.max.messages", "1000000"},
    };
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof(text));
    for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++)
        rd_kafka_conf_set(conf, properties[i][0], properties[i][1], text, sizeof(text));
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    if (!rk)
        fprintf(stderr, "loadgen: %s\n", text);
    return rk;
}

static void publish(rd_kafka_t *rk, rd_kafka_topic_t *topic, long i)
{
    char phone[32], at[40], value[256];
    long long us = clock_us(CLOCK_REALTIME);
    time_t s = (time_t)(us / 1000000);
    struct tm tm;
    gmtime_r(&s, &tm);
    strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(phone, sizeof(phone), "+861%010ld", 3000000000L + i);
    int len = snprintf(value, sizeof(value),
                       "{\"v\":1,\"job_id\":\"b-%lld-%ld\",\"phone\":\"%s\",\"scene\":\"register\","
                       "\"requested_at\":\"%s.%06lldZ\"}",
                       us, i, phone, at, us % 1000000);
    while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, value, (size_t)len,
                            phone, strlen(phone), NULL) != 0)
        rd_kafka_poll(rk, 10);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fputs("usage: loadgen BROKERS TOPIC COUNT RATE\n", stderr);
        return 64;
    }
    long count = strtol(argv[3], NULL, 10), rate = strtol(argv[4], NULL, 10);
    rd_kafka_t *rk = make_producer(argv[1]);
    if (!rk)
        return 1;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, argv[2], NULL);
    long long begun = clock_us(CLOCK_MONOTONIC);
    for (long i = 0; i < count; i++) {
        long long ahead = rate ? begun + i * 1000000LL / rate - clock_us(CLOCK_MONOTONIC) : 0;
        if (ahead > 0) {
            struct timespec wait = {ahead / 1000000, ahead % 1000000 * 1000};
            nanosleep(&wait, NULL);
        }
        publish(rk, topic, i);
        rd_kafka_poll(rk, 0);
    }
    rd_kafka_flush(rk, 60000);
    int left = rd_kafka_outq_len(rk);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
    return left ? 1 : 0;
}

/*
 * Publishes jobs at a steady rate, each for a phone of its own:
 *   bench_load BOOTSTRAP TOPIC COUNT RATE     (jobs a second; 0: as fast as Kafka takes them)
 * A job's id says when it was published: b-MICROSECONDS-NUMBER.
 */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/text.h"

static size_t failed;

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    (void)rk;
    (void)opaque;
    failed += m->err != 0;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char why[256];

    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK)
        panic("%s", why);
}

static rd_kafka_t *connect_to(const char *bootstrap)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[256];
    rd_kafka_t *rk;

    set(conf, "bootstrap.servers", bootstrap);
    set(conf, "linger.ms", "1");
    set(conf, "socket.nagle.disable", "true");
    set(conf, "queue.buffering.max.messages", "1000000");
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!rk)
        panic("%s", why);
    return rk;
}

static void publish(rd_kafka_topic_t *topic, int64_t number)
{
    char phone[32], now[TEXT_TIME_SIZE], value[512];
    int64_t now_us = clock_wall_us();
    int len;

    snprintf(phone, sizeof phone, "+861%010" PRId64, number);
    text_from_time_us(now_us, now);
    len = snprintf(value, sizeof value,
                   "{\"v\":1,\"job_id\":\"b-%" PRId64 "-%" PRId64 "\",\"phone\":\"%s\","
                   "\"scene\":\"bench\",\"requested_at\":\"%s\"}",
                   now_us, number, phone, now);
    if (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, value, (size_t)len,
                         phone, strlen(phone), NULL) != 0)
        panic("%s", rd_kafka_err2str(rd_kafka_last_error()));
}

/* Sleeps until job `number` is due. */
static void pace(int64_t begun_us, int64_t number, int64_t rate)
{
    int64_t wait_us = rate ? begun_us + number * US_PER_S / rate - clock_boot_us() : 0;
    struct timespec t = {.tv_sec = wait_us / US_PER_S, .tv_nsec = wait_us % US_PER_S * 1000};

    if (wait_us > 0)
        nanosleep(&t, NULL);
}

int main(int argc, char **argv)
{
    int64_t count, rate;
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic;
    int64_t begun_us;

    if (argc != 5 || !text_to_int(argv[3], 1, 900000, &count) ||
        !text_to_int(argv[4], 0, 100000, &rate)) {
        fputs("usage: bench_load BOOTSTRAP TOPIC COUNT RATE\n", stderr);
        return EXIT_USAGE_ERROR;
    }
    rk = connect_to(argv[1]);
    topic = rd_kafka_topic_new(rk, argv[2], NULL);
    begun_us = clock_boot_us();
    for (int64_t i = 0; i < count; i++) {
        pace(begun_us, i, rate);
        publish(topic, i);
        rd_kafka_poll(rk, 0);
    }
    while (rd_kafka_outq_len(rk) > 0)
        rd_kafka_poll(rk, 100);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
    if (failed)
        fprintf(stderr, "bench_load: Kafka did not take %zu jobs\n", failed);
    return failed ? EXIT_NO : EXIT_DONE;
}

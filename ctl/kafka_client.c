/* Makes clients; tells brokers that cannot be reached from a topic that does not exist. */
#include "ctl/kafka_client.h"

#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "ctl/ctl.h"

#define TIMEOUT_MS 10000
#define AGAIN_US (100 * US_PER_MS)

rd_kafka_t *kafka_client_new(const struct ctl *c, const struct settings *s, enum kafka_role role,
                             kafka_report_fn *on_report, void *opaque)
{
    struct err e = {0};
    char why[512];
    rd_kafka_conf_t *conf = kafka_conf_new(s, role, &e);
    rd_kafka_t *rk;

    if (!conf) {
        ctl_say(c, "%s", e.text);
        return NULL;
    }
    if (role == KAFKA_CONSUMER)
        (void)rd_kafka_conf_set(conf, "enable.partition.eof", "true", why, sizeof why);
    rd_kafka_conf_set_log_cb(conf, NULL);
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    rd_kafka_conf_set_opaque(conf, opaque);
    rk = rd_kafka_new(role == KAFKA_CONSUMER ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf, why,
                      sizeof why);
    if (!rk) {
        rd_kafka_conf_destroy(conf);
        ctl_say(c, "[kafka]: %s", why);
    }
    return rk;
}

int kafka_client_partitions(const struct ctl *c, rd_kafka_t *rk, rd_kafka_topic_t *topic,
                            int *count)
{
    const struct rd_kafka_metadata *md = NULL;
    rd_kafka_resp_err_t err = rd_kafka_metadata(rk, 0, topic, &md, TIMEOUT_MS);
    int code = EXIT_DONE;

    if (err) {
        ctl_say(c, "Kafka is not reachable at bootstrap.servers: %s", rd_kafka_err2str(err));
        return EXIT_UNREACHABLE;
    }
    if (md->topic_cnt != 1 || md->topics[0].err || md->topics[0].partition_cnt == 0) {
        ctl_say(c, "Kafka has no topic %s: run sendcodectl migrate --topics",
                rd_kafka_topic_name(topic));
        code = EXIT_CONFIGURATION;
    } else if (count) {
        *count = md->topics[0].partition_cnt;
    }
    rd_kafka_metadata_destroy(md);
    return code;
}

int kafka_client_bounds(const struct ctl *c, rd_kafka_t *rk, const char *topic, int32_t partition,
                        int64_t *low, int64_t *next)
{
    int64_t until_us = clock_boot_us() + TIMEOUT_MS * US_PER_MS;
    rd_kafka_resp_err_t err;

    while ((err = rd_kafka_query_watermark_offsets(rk, topic, partition, low, next, TIMEOUT_MS))) {
        if (clock_boot_us() >= until_us) {
            ctl_say(c, "Kafka does not tell where the topic %s begins and ends: %s", topic,
                    rd_kafka_err2str(err));
            return EXIT_UNREACHABLE;
        }
        usleep((useconds_t)AGAIN_US);
    }
    return EXIT_DONE;
}

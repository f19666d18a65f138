/* Metadata of one topic; tells brokers that cannot be reached from a topic that does not exist. */
#include "ctl/kafka_topic.h"

#include "common/base.h"
#include "ctl/ctl.h"

#define TIMEOUT_MS 10000

int kafka_topic_partitions(const struct ctl *c, rd_kafka_t *rk, rd_kafka_topic_t *topic, int *count)
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

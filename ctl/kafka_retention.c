/*
 * DescribeConfigs. Kafka deletes whole segments, retention.ms after their newest record, and one
 * may take records in for segment.ms: a record lives for both, at most.
 */
#include "ctl/kafka_retention.h"

#include <stdlib.h>
#include <string.h>

#include "common/settings/settings.h"
#include "common/text.h"
#include "ctl/kafka_client.h"

#define TIMEOUT_MS 10000

/* What an entry of the topic says, NULL if there is none. */
static const char *entry_of(const rd_kafka_ConfigEntry_t **entries, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0)
            return rd_kafka_ConfigEntry_value(entries[i]);
    return NULL;
}

static void read_topic(const rd_kafka_ConfigResource_t *r, struct kafka_retention *out)
{
    size_t n = 0;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(r, &n);
    const char *retention = entry_of(entries, n, "retention.ms");
    const char *segment = entry_of(entries, n, "segment.ms");
    const char *policy = entry_of(entries, n, "cleanup.policy");
    int64_t retention_ms;
    int64_t segment_ms;

    if (rd_kafka_ConfigResource_error(r) || !retention || !segment || !policy ||
        !text_to_int(retention, -1, INT64_MAX / 4, &retention_ms) ||
        !text_to_int(segment, 1, INT64_MAX / 4, &segment_ms))
        return;
    out->known = true;
    out->kept_ms = retention_ms < 0 || !strstr(policy, "delete") ? -1 : retention_ms + segment_ms;
}

static void read_answer(const rd_kafka_DescribeConfigs_result_t *result,
                        struct kafka_retention out[TOPIC_KINDS])
{
    size_t n = 0;
    const rd_kafka_ConfigResource_t **topics =
        rd_kafka_DescribeConfigs_result_resources(result, &n);

    for (size_t i = 0; i < n; i++)
        for (int kind = 0; kind < TOPIC_KINDS; kind++)
            if (strcmp(rd_kafka_ConfigResource_name(topics[i]), out[kind].topic) == 0)
                read_topic(topics[i], &out[kind]);
}

static void ask(rd_kafka_t *rk, struct kafka_retention out[TOPIC_KINDS])
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_ConfigResource_t *topics[TOPIC_KINDS];
    rd_kafka_event_t *answer;
    char why[256];

    if (rd_kafka_AdminOptions_set_request_timeout(options, TIMEOUT_MS, why, sizeof why))
        panic("librdkafka refuses a timeout: %s", why);
    for (int kind = 0; kind < TOPIC_KINDS; kind++)
        topics[kind] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, out[kind].topic);
    rd_kafka_DescribeConfigs(rk, topics, TOPIC_KINDS, options, queue);
    answer = rd_kafka_queue_poll(queue, 2 * TIMEOUT_MS);
    if (answer && !rd_kafka_event_error(answer))
        read_answer(rd_kafka_event_DescribeConfigs_result(answer), out);
    if (answer)
        rd_kafka_event_destroy(answer);
    rd_kafka_ConfigResource_destroy_array(topics, TOPIC_KINDS);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
}

void kafka_retention_ask(const struct ctl *c, const struct settings *s,
                         struct kafka_retention out[TOPIC_KINDS])
{
    rd_kafka_t *rk = NULL;

    out[TOPIC_JOBS] = (struct kafka_retention){.topic = s->topics.jobs};
    out[TOPIC_DEAD] = (struct kafka_retention){.topic = s->topics.dead};
    out[TOPIC_EVENTS] = (struct kafka_retention){.topic = s->topics.events};
    if (settings_kafka(s, "bootstrap.servers") || settings_kafka(s, "metadata.broker.list"))
        rk = kafka_client_new(c, s, KAFKA_ADMIN, NULL, NULL);
    if (!rk)
        return;
    ask(rk, out);
    rd_kafka_destroy(rk);
}

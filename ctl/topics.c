/* CreateTopics through librdkafka's admin client; a topic that is there is left as it is. */
#include "ctl/topics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/settings/settings.h"
#include "ctl/ctl.h"
#include "ctl/kafka_client.h"

#define TOPICS 3
#define REQUEST_TIMEOUT_MS 30000
#define HOUR_MS (INT64_C(3600) * 1000)
/* Kafka deletes whole segments: where little comes, a number would rest for the default's week
 * more. */
#define SEGMENT_MS (6 * HOUR_MS)

static void configure(rd_kafka_NewTopic_t *t, const char *name, int64_t ms)
{
    char value[32];

    snprintf(value, sizeof value, "%" PRId64, ms);
    if (rd_kafka_NewTopic_set_config(t, name, value) != RD_KAFKA_RESP_ERR_NO_ERROR)
        panic("librdkafka refuses a topic's configuration");
}

/* -1: the broker's default. */
static rd_kafka_NewTopic_t *new_topic(const char *name, int partitions, int64_t retention_ms)
{
    char why[256];
    rd_kafka_NewTopic_t *t = rd_kafka_NewTopic_new(name, partitions, -1, why, sizeof why);

    if (!t)
        return NULL;
    configure(t, "retention.ms", retention_ms);
    configure(t, "segment.ms", SEGMENT_MS);
    return t;
}

static int report(const struct ctl *c, const rd_kafka_topic_result_t *r, int partitions)
{
    const char *name = rd_kafka_topic_result_name(r);

    switch ((int)rd_kafka_topic_result_error(r)) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        printf("topic %s: made, %d partitions\n", name, partitions);
        return EXIT_DONE;
    case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
        printf("topic %s: is there\n", name);
        return EXIT_DONE;
    default:
        ctl_say(c, "Kafka did not make the topic %s: %s", name,
                rd_kafka_topic_result_error_string(r));
        return EXIT_NO;
    }
}

static int report_all(const struct ctl *c, rd_kafka_event_t *answer, int partitions)
{
    const rd_kafka_CreateTopics_result_t *result;
    const rd_kafka_topic_result_t **topics;
    size_t n = 0;
    int code = EXIT_DONE;

    if (!answer || rd_kafka_event_error(answer)) {
        ctl_say(c, "Kafka is not reachable at bootstrap.servers: %s",
                answer ? rd_kafka_event_error_string(answer) : "no answer");
        return EXIT_UNREACHABLE;
    }
    result = rd_kafka_event_CreateTopics_result(answer);
    topics = rd_kafka_CreateTopics_result_topics(result, &n);
    for (size_t i = 0; i < n; i++) {
        int one = report(c, topics[i], partitions);
        code = code == EXIT_DONE ? one : code;
    }
    return code;
}

static int create(const struct ctl *c, rd_kafka_t *rk, const struct settings *s, int partitions)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_NewTopic_t *topics[TOPICS] = {
        new_topic(s->topics.jobs, partitions, 72 * HOUR_MS),
        new_topic(s->topics.events, partitions, 7 * 24 * HOUR_MS),
        new_topic(s->topics.dead, partitions, 72 * HOUR_MS),
    };
    char why[256];
    rd_kafka_event_t *answer;
    int code;

    for (size_t i = 0; i < TOPICS; i++)
        if (!topics[i])
            panic("a topic's name or %d partitions were not checked", partitions);
    if (rd_kafka_AdminOptions_set_request_timeout(options, REQUEST_TIMEOUT_MS, why, sizeof why) ||
        rd_kafka_AdminOptions_set_operation_timeout(options, REQUEST_TIMEOUT_MS, why, sizeof why))
        panic("librdkafka refuses a timeout: %s", why);
    rd_kafka_CreateTopics(rk, topics, TOPICS, options, queue);
    answer = rd_kafka_queue_poll(queue, 2 * REQUEST_TIMEOUT_MS);
    code = report_all(c, answer, partitions);
    if (answer)
        rd_kafka_event_destroy(answer);
    rd_kafka_NewTopic_destroy_array(topics, TOPICS);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return code;
}

int topics_create_missing(const struct ctl *c, const struct settings *s, int partitions)
{
    rd_kafka_t *rk = kafka_client_new(c, s, KAFKA_ADMIN, NULL, NULL);
    int code;

    if (!rk)
        return EXIT_CONFIGURATION;
    code = create(c, rk, s, partitions);
    rd_kafka_destroy(rk);
    return code;
}

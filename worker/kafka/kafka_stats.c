/* Readers of librdkafka's statistics (its STATISTICS.md). */
#include "worker/kafka/kafka_stats.h"

#include <stdio.h>
#include <string.h>

#include "common/json.h"

struct json *kafka_stats_parse(rd_kafka_event_t *ev)
{
    const char *text = rd_kafka_event_stats(ev);
    static const struct json_limits limits = {.max_depth = 16, .unique_top_keys = false};

    return text ? json_parse(text, strlen(text), &limits, NULL) : NULL;
}

static void see_broker(void *arg, UNUSED const char *name, const struct json *broker)
{
    enum broker_sight *sight = arg;
    const char *state = json_get_text(broker, "state");
    const char *source = json_get_text(broker, "source");

    /* "internal" ones are not connections of their own. */
    if (!state || !source || strcmp(source, "internal") == 0)
        return;
    if (strcmp(state, "UP") == 0)
        *sight = BROKERS_UP;
    else if (strcmp(state, "INIT") != 0 && *sight == BROKERS_IDLE)
        *sight = BROKERS_FAILING;
}

enum broker_sight kafka_stats_brokers(const struct json *stats)
{
    enum broker_sight sight = BROKERS_IDLE;

    json_each(json_get(stats, "brokers"), see_broker, &sight);
    return sight;
}

static void see_partition(void *arg, UNUSED const char *name, const struct json *partition)
{
    bool *led = arg;
    int64_t leader;

    if (json_int(json_get(partition, "leader"), &leader) && leader >= 0)
        *led = true;
}

bool kafka_stats_topic_is_there(const struct json *stats, const char *topic)
{
    bool led = false;

    json_each(json_get(json_get(json_get(stats, "topics"), topic), "partitions"), see_partition,
              &led);
    return led;
}

int64_t kafka_stats_lag(const struct json *stats, const char *topic, int32_t partition)
{
    char key[16];
    int64_t lag;

    snprintf(key, sizeof(key), "%d", (int)partition);
    const struct json *of_topic = json_get(json_get(stats, "topics"), topic);
    const struct json *of_partition = json_get(json_get(of_topic, "partitions"), key);
    return json_int(json_get(of_partition, "consumer_lag"), &lag) && lag >= 0 ? lag : -1;
}

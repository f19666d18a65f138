/* Every partition is assigned by hand at its present end, so that nothing is missed or committed.
 */
#include "ctl/kafka_events.h"

#include "common/json.h"
#include "common/mem.h"
#include "common/settings/settings.h"
#include "ctl/ctl.h"
#include "ctl/kafka_client.h"

struct kafka_events {
    rd_kafka_t *rk;
};

/* Adds the partitions with the offsets of their ends. */
static int find_ends(const struct ctl *c, rd_kafka_t *rk, const char *topic, int count,
                     rd_kafka_topic_partition_list_t *list)
{
    int code = EXIT_DONE;

    for (int32_t i = 0; i < count && code == EXIT_DONE; i++) {
        int64_t low, next;
        code = kafka_client_bounds(c, rk, topic, i, &low, &next);
        if (code == EXIT_DONE)
            rd_kafka_topic_partition_list_add(list, topic, i)->offset = next;
    }
    return code;
}

static int assign_ends(const struct ctl *c, rd_kafka_t *rk, const char *name)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
    rd_kafka_topic_partition_list_t *ends;
    int count = 0;
    int code = kafka_client_partitions(c, rk, topic, &count);

    ends = rd_kafka_topic_partition_list_new(count);
    if (code == EXIT_DONE)
        code = find_ends(c, rk, name, count, ends);
    rd_kafka_topic_destroy(topic);
    if (code == EXIT_DONE && rd_kafka_assign(rk, ends)) {
        ctl_say(c, "Kafka lets nobody read the topic %s", name);
        code = EXIT_UNREACHABLE;
    }
    rd_kafka_topic_partition_list_destroy(ends);
    return code;
}

struct kafka_events *kafka_events_open(const struct ctl *c, const struct settings *s, int *code)
{
    rd_kafka_t *rk = kafka_client_new(c, s, KAFKA_CONSUMER, NULL, NULL);
    struct kafka_events *ev;

    *code = EXIT_CONFIGURATION;
    if (!rk)
        return NULL;
    rd_kafka_poll_set_consumer(rk);
    *code = assign_ends(c, rk, s->topics.events);
    if (*code != EXIT_DONE) {
        rd_kafka_destroy(rk);
        return NULL;
    }
    ev = mem_must_alloc(sizeof *ev);
    ev->rk = rk;
    return ev;
}

void kafka_events_close(struct kafka_events *ev)
{
    if (!ev)
        return;
    rd_kafka_consumer_close(ev->rk);
    rd_kafka_destroy(ev->rk);
    mem_free(ev);
}

struct json *kafka_events_next(struct kafka_events *ev, int timeout_ms)
{
    const struct json_limits limits = {.max_depth = 8};
    rd_kafka_message_t *m = rd_kafka_consumer_poll(ev->rk, timeout_ms);
    struct json *j = NULL;

    if (m && !m->err && m->payload)
        j = json_parse(m->payload, m->len, &limits, NULL);
    if (m)
        rd_kafka_message_destroy(m);
    return j;
}

/* A producer with the worker's guarantees: idempotent, acknowledged by all in-sync replicas. */
#include "ctl/kafka_jobs.h"

#include <stdio.h>
#include <string.h>

#include "common/settings/settings.h"
#include "ctl/ctl.h"
#include "ctl/draft.h"
#include "ctl/kafka_client.h"
#include "ctl/progress.h"

#define POLL_MS 100

struct publishing {
    struct progress progress;
    size_t acked, failed;
    rd_kafka_resp_err_t why; /* of the first failure */
};

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    struct publishing *p = opaque;

    (void)rk;
    if (m->err) {
        p->why = p->failed ? p->why : m->err;
        p->failed++;
    } else {
        p->acked++;
    }
}

/* Queues one job, waiting for room; -1 when librdkafka refuses it for good. */
static int produce(rd_kafka_t *rk, rd_kafka_topic_t *topic, struct publishing *p,
                   const struct draft *d)
{
    while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                            (void *)(uintptr_t)d->value, d->len, d->phone, strlen(d->phone),
                            NULL) != 0) {
        if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            p->why = rd_kafka_last_error();
            p->failed++;
            return -1;
        }
        rd_kafka_poll(rk, POLL_MS);
        progress_show(&p->progress, p->acked);
    }
    return 0;
}

static int publish(const struct ctl *c, rd_kafka_t *rk, rd_kafka_topic_t *topic,
                   struct publishing *p, const struct draft_list *jobs)
{
    size_t queued = 0;

    progress_start(&p->progress, "publishing", jobs->n);
    while (queued < jobs->n && p->failed == 0) {
        if (produce(rk, topic, p, &jobs->items[queued]) == 0)
            queued++;
        rd_kafka_poll(rk, 0);
    }
    while (rd_kafka_outq_len(rk) > 0) { /* ends: each job has its delivery.timeout.ms */
        rd_kafka_poll(rk, POLL_MS);
        progress_show(&p->progress, p->acked);
    }
    progress_end(&p->progress, p->acked);
    if (p->failed == 0)
        return EXIT_DONE;
    ctl_say(c, "%zu of %zu jobs are published, then Kafka failed: %s", p->acked, jobs->n,
            rd_kafka_err2str(p->why));
    return EXIT_UNREACHABLE;
}

int kafka_jobs_publish(const struct ctl *c, const struct settings *s, const struct draft_list *jobs)
{
    struct publishing p = {0};
    rd_kafka_t *rk = kafka_client_new(c, s, KAFKA_ADMIN, on_report, &p);
    rd_kafka_topic_t *topic;
    int code;

    if (!rk)
        return EXIT_CONFIGURATION;
    topic = rd_kafka_topic_new(rk, s->topics.jobs, NULL);
    code = kafka_client_partitions(c, rk, topic, NULL);
    if (code == EXIT_DONE)
        code = publish(c, rk, topic, &p, jobs);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
    return code;
}

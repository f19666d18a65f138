/* librdkafka's mock cluster: real listeners on 127.0.0.1, served by a thread of its own. */
#include "sandbox/broker.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "common/err.h"
#include "common/mem.h"

struct broker {
    rd_kafka_t *rk; /* the mock cluster hangs on a client that does nothing else */
    rd_kafka_mock_cluster_t *cluster;
};

static int create_topic(struct broker *b, const char *name, struct err *e)
{
    rd_kafka_resp_err_t rc = rd_kafka_mock_topic_create(b->cluster, name, BROKER_JOB_PARTITIONS, 1);
    if (rc == RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    return err_set(e, ERR_PERM, rc, "--broker: topic %s cannot be made: %s", name,
                   rd_kafka_err2str(rc));
}

struct broker *broker_new(const char *jobs, const char *events, const char *dead, struct err *e)
{
    char why[256] = "";
    struct broker *b = mem_must_alloc(sizeof *b);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    /* Errors only: this client has no brokers to talk to, and would say so. */
    if (rd_kafka_conf_set(conf, "log_level", "3", why, sizeof why) == RD_KAFKA_CONF_OK)
        b->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!b->rk) {
        rd_kafka_conf_destroy(conf);
        err_set(e, ERR_TEMP, 0, "--broker: %s", why);
        goto fail;
    }
    b->cluster = rd_kafka_mock_cluster_new(b->rk, 1);
    if (!b->cluster) {
        err_set(e, ERR_TEMP, 0, "--broker: no listener could be opened on 127.0.0.1");
        goto fail;
    }
    if (create_topic(b, jobs, e) < 0 || create_topic(b, events, e) < 0 ||
        create_topic(b, dead, e) < 0)
        goto fail;
    return b;

fail:
    broker_free(b);
    return NULL;
}

const char *broker_addresses(const struct broker *b)
{
    return rd_kafka_mock_cluster_bootstraps(b->cluster);
}

void broker_free(struct broker *b)
{
    if (!b)
        return;
    if (b->cluster)
        rd_kafka_mock_cluster_destroy(b->cluster);
    if (b->rk)
        rd_kafka_destroy(b->rk);
    mem_free(b);
}

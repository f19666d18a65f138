/* The librdkafka client behind the producer: made, dropped, and replaced after a fatal error. */
#include <utlist.h>

#include "common/err.h"
#include "common/log.h"
#include "worker/kafka/kafka_out_private.h"

void kafka_out_drop_client(struct kafka_out *out)
{
    kafka_queue_close(&out->queue);
    for (size_t i = 0; i < KAFKA_DEST_COUNT; i++) {
        if (out->topic[i])
            rd_kafka_topic_destroy(out->topic[i]);
        out->topic[i] = NULL;
    }
    if (!out->rk)
        return;
    (void)rd_kafka_purge(out->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                      RD_KAFKA_PURGE_F_NON_BLOCKING);
    rd_kafka_destroy(out->rk);
    out->rk = NULL;
}

int kafka_out_make_client(struct kafka_out *out, struct err *e)
{
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(out->conf);

    out->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    if (!out->rk) {
        rd_kafka_conf_destroy(conf);
        return err_set(e, ERR_PERM, 0, "[kafka] the producer cannot be made: %s", why);
    }
    (void)rd_kafka_set_log_queue(out->rk, NULL);
    for (size_t i = 0; i < KAFKA_DEST_COUNT; i++) {
        out->topic[i] = rd_kafka_topic_new(out->rk, out->to[i], NULL);
        if (!out->topic[i]) {
            err_set(e, ERR_PERM, rd_kafka_last_error(),
                    "[topics] %s: Kafka's client refuses it: %s", out->to[i],
                    rd_kafka_err2str(rd_kafka_last_error()));
            kafka_out_drop_client(out);
            return -1;
        }
    }
    if (kafka_queue_open(&out->queue, out->loop, rd_kafka_queue_get_main(out->rk),
                         kafka_out_on_queue, out, e)) {
        kafka_out_drop_client(out);
        return -1;
    }
    return 0;
}

void kafka_out_replace_client(struct kafka_out *out)
{
    struct err e = {0};
    char why[256] = "";

    if (out->rk && rd_kafka_fatal_error(out->rk, why, sizeof(why))) {
        log_warn("the Kafka producer gave up and is replaced; what it had under way is repeated",
                 LS("error", why), LI("messages", HASH_COUNT(out->messages)));
        /* Once can happen to anybody; again without success in between is a condition. */
        if (out->replaced)
            kafka_health_on_fatal(&out->health, why);
    }
    kafka_out_on_queue(out);
    kafka_out_drop_client(out);
    for (struct kafka_message *m = out->messages; m; m = m->hh.next) {
        if (!m->waiting)
            DL_APPEND(out->waiting, m);
        m->waiting = true;
    }
    if (kafka_out_make_client(out, &e)) {
        kafka_health_on_fatal(&out->health, e.text);
        return;
    }
    out->broken = false;
    out->replaced = true;
}

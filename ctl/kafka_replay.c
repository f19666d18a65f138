/* A producer as enqueue's: the key decides about the partition. */
#include "ctl/kafka_replay.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/mem.h"
#include "common/settings/settings.h"
#include "ctl/ctl.h"
#include "ctl/kafka_client.h"
#include "ctl/letter.h"

#define POLL_MS 100

struct kafka_replay {
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic;
    rd_kafka_resp_err_t why;
};

static enum put judge(struct kafka_replay *k, rd_kafka_resp_err_t err, bool certain)
{
    if (!err)
        return PUT_DONE;
    if (err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
        return PUT_TOO_LARGE;
    k->why = err;
    return certain ? PUT_NOT : PUT_UNSURE;
}

/* The message's opaque is its place in the caller's puts. */
static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    struct kafka_replay *k = opaque;
    enum put *put = m->_private;

    (void)rk;
    *put = judge(k, m->err, rd_kafka_message_status(m) == RD_KAFKA_MSG_STATUS_NOT_PERSISTED);
}

struct kafka_replay *kafka_replay_open(const struct ctl *c, const struct settings *s, int *code)
{
    struct kafka_replay *k = mem_must_alloc(sizeof *k);

    *code = EXIT_CONFIGURATION;
    k->rk = kafka_client_new(c, s, KAFKA_ADMIN, on_report, k);
    if (k->rk) {
        k->topic = rd_kafka_topic_new(k->rk, s->topics.jobs, NULL);
        *code = kafka_client_partitions(c, k->rk, k->topic, NULL);
    }
    if (*code == EXIT_DONE)
        return k;
    kafka_replay_close(k);
    return NULL;
}

void kafka_replay_close(struct kafka_replay *k)
{
    if (!k)
        return;
    if (k->rk) {
        rd_kafka_topic_destroy(k->topic);
        rd_kafka_destroy(k->rk);
    }
    mem_free(k);
}

static rd_kafka_headers_t *headers_of(const struct letter *l)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(l->n_headers + 1);
    char replays[24];

    for (size_t i = 0; i < l->n_headers; i++)
        if (!letter_header_is_ours(&l->headers[i]))
            (void)rd_kafka_header_add(headers, l->headers[i].name, -1, l->headers[i].value,
                                      (ssize_t)l->headers[i].len);
    snprintf(replays, sizeof replays, "%" PRId64, l->replays + 1);
    (void)rd_kafka_header_add(headers, "sendcode-replays", -1, replays, -1);
    return headers;
}

static rd_kafka_resp_err_t produce(struct kafka_replay *k, const struct letter *l, enum put *put)
{
    rd_kafka_headers_t *headers = headers_of(l);
    rd_kafka_resp_err_t err;

    do {
        err = rd_kafka_producev(
            k->rk, RD_KAFKA_V_RKT(k->topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_VALUE((void *)(uintptr_t)l->value, l->value_len),
            RD_KAFKA_V_KEY((void *)(uintptr_t)l->key, l->key_len), RD_KAFKA_V_HEADERS(headers),
            RD_KAFKA_V_OPAQUE(put), RD_KAFKA_V_END);
        if (err == RD_KAFKA_RESP_ERR__QUEUE_FULL)
            rd_kafka_poll(k->rk, POLL_MS);
    } while (err == RD_KAFKA_RESP_ERR__QUEUE_FULL);
    if (err)
        rd_kafka_headers_destroy(headers); /* taken over only by success */
    return err;
}

void kafka_replay_put(struct kafka_replay *k, struct letter *const *letters, size_t n,
                      enum put *puts)
{
    for (size_t i = 0; i < n; i++) {
        rd_kafka_resp_err_t err = produce(k, letters[i], &puts[i]);
        if (err)
            puts[i] = judge(k, err, true);
    }
    while (rd_kafka_outq_len(k->rk) > 0) /* ends: each record has its delivery.timeout.ms */
        rd_kafka_poll(k->rk, POLL_MS);
}

const char *kafka_replay_why(const struct kafka_replay *k)
{
    return rd_kafka_err2str(k->why);
}

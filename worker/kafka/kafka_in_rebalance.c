/*
 * Rebalances, answered at once by the group's protocol: an unanswered event stalls all partitions.
 * What is revoked is committed, unless lost, before it is let go.
 */
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/crashpoint.h"
#include "common/log.h"
#include "common/mem.h"
#include "worker/kafka/kafka_in_private.h"

/* The loop stands still for at most this long when the coordinator does not answer. */
#define REVOKE_COMMIT_MS 3000

static bool is_cooperative(const struct kafka_in *in)
{
    const char *protocol = rd_kafka_rebalance_protocol(in->rk);

    return protocol && strcmp(protocol, "COOPERATIVE") == 0;
}

static void part_add(struct kafka_in *in, int32_t partition)
{
    struct kafka_part *p = mem_must_alloc(sizeof(*p));

    p->partition = partition;
    p->log_end = -1;
    p->q = rd_kafka_queue_get_partition(in->rk, in->topic, partition);
    if (!p->q)
        panic("no queue for partition %d of an assignment", (int)partition);
    rd_kafka_queue_forward(p->q, NULL);
    HASH_ADD(hh, in->parts, partition, sizeof(p->partition), p);
}

static void part_remove(struct kafka_in *in, struct kafka_part *p)
{
    HASH_DEL(in->parts, p);
    rd_kafka_queue_forward(p->q, NULL);
    rd_kafka_queue_destroy(p->q);
    mem_free(p);
}

static void log_partitions(const char *what, const int32_t *ids, size_t n, const char *protocol)
{
    struct buf text = BUF_INIT;

    if (n == 0)
        return; /* a cooperative round that moves nothing here */
    for (size_t i = 0; i < n; i++)
        buf_add_fmt(&text, "%s%d", i ? "," : "", (int)ids[i]);
    log_info(what, LI("n", n), LS("partitions", buf_text(&text)), LS("protocol", protocol));
    buf_free(&text);
}

static void answer_assign(struct kafka_in *in, const rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_error_t *error = NULL;

    if (is_cooperative(in))
        error = rd_kafka_incremental_assign(in->rk, list);
    else
        err = rd_kafka_assign(in->rk, list);
    if (error || err)
        log_error("Kafka refused our answer to an assignment",
                  LS("error", error ? rd_kafka_error_string(error) : rd_kafka_err2str(err)));
    rd_kafka_error_destroy(error);
}

/* list NULL: everything. */
static void answer_revoke(struct kafka_in *in, const rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_error_t *error = NULL;

    if (list && is_cooperative(in))
        error = rd_kafka_incremental_unassign(in->rk, list);
    else
        err = rd_kafka_assign(in->rk, NULL);
    if (error || err)
        log_error("Kafka refused our answer to a revocation",
                  LS("error", error ? rd_kafka_error_string(error) : rd_kafka_err2str(err)));
    rd_kafka_error_destroy(error);
}

static void on_assign(struct kafka_in *in, const rd_kafka_topic_partition_list_t *list)
{
    size_t n = 0;
    int32_t *ids = mem_must_alloc(((size_t)list->cnt + 1) * sizeof(*ids));

    /* Detached before they are assigned, so that no record slips into the control queue. */
    for (int i = 0; i < list->cnt && in->stage == KAFKA_IN_OPEN; i++) {
        if (kafka_in_get_part(in, list->elems[i].partition))
            continue;
        part_add(in, list->elems[i].partition);
        ids[n++] = list->elems[i].partition;
    }
    answer_assign(in, list);
    in->rebalancing = false;
    kafka_health_on_alive(&in->health);
    if (list->cnt > 0)
        kafka_health_on_topic_good(&in->health);
    log_partitions("partitions assigned", ids, n, rd_kafka_rebalance_protocol(in->rk));
    if (n > 0)
        in->h.assigned(in->h.arg, ids, n);
    mem_free(ids);
}

rd_kafka_topic_partition_list_t *kafka_in_offset_list(const struct kafka_in *in,
                                                      const struct source_offset *offsets, size_t n)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);

    for (size_t i = 0; i < n; i++)
        rd_kafka_topic_partition_list_add(list, in->topic, offsets[i].partition)->offset =
            offsets[i].offset;
    return list;
}

/* Waits for the broker's answer on a queue of its own; too late is no harm, only redelivery. */
static void commit_now(struct kafka_in *in, const struct source_offset *offsets, size_t n)
{
    rd_kafka_topic_partition_list_t *list = kafka_in_offset_list(in, offsets, n);
    rd_kafka_queue_t *q = rd_kafka_queue_new(in->rk);
    rd_kafka_resp_err_t err = rd_kafka_commit_queue(in->rk, list, q, NULL, NULL);
    CRASHPOINT("revocation_commit_asked");
    rd_kafka_event_t *ev = err ? NULL : rd_kafka_queue_poll(q, REVOKE_COMMIT_MS);

    if (ev)
        err = rd_kafka_event_error(ev);
    else if (!err)
        err = RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (err && err != RD_KAFKA_RESP_ERR__NO_OFFSET)
        log_warn("offsets not committed at revocation: their records will be met again",
                 LS("error", rd_kafka_err2str(err)), LI("partitions", n));
    if (ev)
        rd_kafka_event_destroy(ev);
    rd_kafka_queue_destroy(q);
    rd_kafka_topic_partition_list_destroy(list);
}

/* Takes the partitions away from the pipeline and commits what it says. */
static void revoke_from_pipeline(struct kafka_in *in, const int32_t *ids, size_t n, bool lost)
{
    struct source_offset *commit = mem_must_alloc(n * sizeof(*commit));
    size_t n_commit;

    for (size_t i = 0; i < n; i++)
        part_remove(in, kafka_in_get_part(in, ids[i]));
    n_commit = in->h.revoked(in->h.arg, ids, n, lost, commit);
    CRASHPOINT("revoked");
    if (n_commit > 0 && !lost) {
        commit_now(in, commit, n_commit);
        CRASHPOINT("revocation_committed");
    }
    mem_free(commit);
}

static void on_revoke(struct kafka_in *in, const rd_kafka_topic_partition_list_t *list)
{
    bool lost = rd_kafka_assignment_lost(in->rk) != 0;
    size_t n = 0;
    int32_t *ids = mem_must_alloc(((size_t)list->cnt + 1) * sizeof(*ids));

    in->rebalancing = true;
    for (int i = 0; i < list->cnt; i++)
        if (kafka_in_get_part(in, list->elems[i].partition))
            ids[n++] = list->elems[i].partition;
    log_partitions(lost ? "partitions lost" : "partitions revoked", ids, n,
                   rd_kafka_rebalance_protocol(in->rk));
    if (n > 0)
        revoke_from_pipeline(in, ids, n, lost);
    answer_revoke(in, list);
    mem_free(ids);
}

void kafka_in_drop_all(struct kafka_in *in)
{
    size_t n = 0;
    int32_t *ids = mem_must_alloc((HASH_COUNT(in->parts) + 1) * sizeof(*ids));

    for (struct kafka_part *p = in->parts; p; p = p->hh.next)
        ids[n++] = p->partition;
    in->rebalancing = true;
    if (n > 0)
        revoke_from_pipeline(in, ids, n, true);
    mem_free(ids);
}

void kafka_in_on_rebalance(struct kafka_in *in, rd_kafka_event_t *ev)
{
    rd_kafka_resp_err_t err = rd_kafka_event_error(ev);
    const rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(ev);

    if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS && list) {
        on_assign(in, list);
    } else if (err == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS && list) {
        on_revoke(in, list);
    } else {
        log_warn("the consumer group failed a rebalance", LS("error", rd_kafka_err2str(err)));
        kafka_in_drop_all(in);
        answer_revoke(in, NULL);
    }
}

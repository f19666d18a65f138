/* The consumer: its making, events other than records, commits and closing. */
#include "worker/kafka/kafka_in.h"

#include <string.h>

#include "common/crashpoint.h"
#include "common/err.h"
#include "common/json.h"
#include "common/kafka/kafka_conf.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/settings/settings.h"
#include "worker/kafka/kafka_in_private.h"
#include "worker/kafka/kafka_stats.h"

#define TICK_US US_PER_S
#define COMMIT_GATE_US (10 * US_PER_S)
#define CLOSE_POLL_US (10 * US_PER_MS)
/* LeaveGroup and the last commits; the group learns of a worker that did not make it by itself. */
#define CLOSE_MAX_US (3500 * US_PER_MS)

static void on_stats(struct kafka_in *in, rd_kafka_event_t *ev)
{
    struct json *stats = kafka_stats_parse(ev);

    if (stats)
        kafka_health_on_brokers(&in->health, kafka_stats_brokers(stats));
    /* Made again before the group noticed that it was gone, it brings no assignment. */
    if (kafka_stats_topic_is_there(stats, in->topic))
        kafka_health_on_topic_good(&in->health);
    for (struct kafka_part *p = in->parts; p; p = p->hh.next) {
        int64_t lag = kafka_stats_lag(stats, in->topic, p->partition);
        if (lag >= 0)
            in->h.lag(in->h.arg, p->partition, lag);
    }
    json_free(stats);
}

static void on_error(struct kafka_in *in, rd_kafka_event_t *ev)
{
    rd_kafka_resp_err_t err = rd_kafka_event_error(ev);
    char why[256];

    if (err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
        err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
        kafka_health_on_topic(&in->health, in->topic, err);
    } else if (rd_kafka_event_error_is_fatal(ev)) {
        (void)rd_kafka_fatal_error(in->rk, why, sizeof(why));
        kafka_health_on_fatal(&in->health, why);
    } else {
        kafka_health_on_error(&in->health, err, rd_kafka_event_error_string(ev));
    }
}

static void on_committed(struct kafka_in *in, rd_kafka_event_t *ev)
{
    const rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(ev);
    rd_kafka_resp_err_t err = rd_kafka_event_error(ev);
    int64_t dropped;

    if (in->commit != COMMIT_SENT)
        return;
    in->commit = COMMIT_NONE;
    for (int i = 0; !err && list && i < list->cnt; i++)
        err = list->elems[i].err;
    if (!err)
        kafka_health_on_alive(&in->health);
    else if (log_gate_open(&in->commit_gate, &dropped))
        log_warn("offsets not committed, to be tried again", LS("error", rd_kafka_err2str(err)),
                 LI("dropped", dropped));
    in->h.committed(in->h.arg, !err);
}

void kafka_in_on_event(struct kafka_in *in, rd_kafka_event_t *ev)
{
    switch (rd_kafka_event_type(ev)) {
    case RD_KAFKA_EVENT_REBALANCE:
        kafka_in_on_rebalance(in, ev);
        break;
    case RD_KAFKA_EVENT_OFFSET_COMMIT:
        on_committed(in, ev);
        break;
    case RD_KAFKA_EVENT_ERROR:
        on_error(in, ev);
        break;
    case RD_KAFKA_EVENT_STATS:
        on_stats(in, ev);
        break;
    case RD_KAFKA_EVENT_LOG:
        kafka_log_event(&in->log, ev);
        break;
    case RD_KAFKA_EVENT_FETCH:
        /* Going on would lose it: its offset counts as read. */
        panic("a record of a partition that was not started");
    default:
        break;
    }
}

static void drain(struct kafka_in *in, struct kafka_queue *kq)
{
    rd_kafka_event_t *ev;

    while (kq->q && (ev = kafka_queue_pop(kq)) != NULL) {
        kafka_in_on_event(in, ev);
        rd_kafka_event_destroy(ev);
    }
}

static void on_control(void *arg)
{
    struct kafka_in *in = arg;

    drain(in, &in->control);
    drain(in, &in->closing);
}

/* An idle consumer that nobody polls is thrown out of its group. */
static void on_tick(void *arg)
{
    struct kafka_in *in = arg;

    on_control(in);
    kafka_health_tick(&in->health);
    loop_timer_start(in->tick, TICK_US);
}

static void on_refusal(void *arg)
{
    struct kafka_in *in = arg;

    in->commit = COMMIT_NONE;
    in->h.committed(in->h.arg, false);
}

static void port_commit(void *self, const struct source_offset *offsets, size_t n)
{
    struct kafka_in *in = self;
    rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR__STATE;

    if (in->commit != COMMIT_NONE)
        panic("a second commit while one is under way");
    if (!in->rebalancing && in->stage == KAFKA_IN_OPEN) {
        rd_kafka_topic_partition_list_t *list = kafka_in_offset_list(in, offsets, n);
        err = rd_kafka_commit_queue(in->rk, list, in->control.q, NULL, NULL);
        rd_kafka_topic_partition_list_destroy(list);
        CRASHPOINT("commit_asked");
    }
    in->commit = err ? COMMIT_REFUSED : COMMIT_SENT;
    if (err)
        loop_timer_start(in->refusal, 0);
}

static void finish_close(struct kafka_in *in, bool in_order)
{
    in->stage = in_order ? KAFKA_IN_CLOSED : KAFKA_IN_LEFT;
    kafka_in_drop_all(in);
    if (!in_order)
        log_warn("the consumer group was not left in order: others take over after the session "
                 "time-out");
    loop_timer_stop(in->tick);
    in->h.closed(in->h.arg);
}

static void on_closer(void *arg)
{
    struct kafka_in *in = arg;

    on_control(in);
    if (!in->closing.q) {
        finish_close(in, false);
    } else if (rd_kafka_consumer_closed(in->rk)) {
        finish_close(in, true);
    } else if (loop_now_us(in->loop) >= in->close_by_us) {
        finish_close(in, false);
    } else {
        loop_timer_start(in->closer, CLOSE_POLL_US);
    }
}

/* From here on everything is revoked through in->closing; rd_kafka_consumer_closed says when. */
static int begin_close(struct kafka_in *in, struct err *e)
{
    rd_kafka_error_t *error;

    /* Leaving a group without a coordinator can crash librdkafka before 2.14.2. */
    if (in->health.down[0])
        return err_set(e, ERR_TEMP, 0, "no broker is reachable");
    if (kafka_queue_open(&in->closing, in->loop, rd_kafka_queue_new(in->rk), on_control, in, e))
        return -1;
    error = rd_kafka_consumer_close_queue(in->rk, in->closing.q);
    if (!error)
        return 0;
    err_set(e, ERR_TEMP, rd_kafka_error_code(error), "%s", rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    kafka_queue_close(&in->closing);
    return -1;
}

static void port_close(void *self)
{
    struct kafka_in *in = self;
    struct err e = {0};

    if (in->stage != KAFKA_IN_OPEN)
        return;
    in->stage = KAFKA_IN_CLOSING;
    in->credit = 0;
    in->close_by_us = loop_now_us(in->loop) + CLOSE_MAX_US;
    if (begin_close(in, &e))
        log_warn("the consumer cannot be closed", LS("error", e.text));
    loop_timer_start(in->closer, 0);
}

struct jobs_source kafka_in_port(struct kafka_in *in)
{
    return (struct jobs_source){
        .self = in,
        .start = kafka_in_start,
        .allow = kafka_in_allow,
        .commit = port_commit,
        .close = port_close,
    };
}

static int open_queues(struct kafka_in *in, struct err *e)
{
    rd_kafka_resp_err_t err = rd_kafka_poll_set_consumer(in->rk);

    if (!err)
        err = rd_kafka_set_log_queue(in->rk, NULL);
    if (err)
        return err_set(e, ERR_BUG, err, "Kafka consumer: %s", rd_kafka_err2str(err));
    if (kafka_queue_open(&in->control, in->loop, rd_kafka_queue_get_consumer(in->rk), on_control,
                         in, e))
        return -1;
    return kafka_queue_open(&in->messages, in->loop, rd_kafka_queue_new(in->rk), kafka_in_pop, in,
                            e);
}

static int subscribe(struct kafka_in *in, struct err *e)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_resp_err_t err;

    rd_kafka_topic_partition_list_add(list, in->topic, RD_KAFKA_PARTITION_UA);
    err = rd_kafka_subscribe(in->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (err)
        return err_set(e, ERR_PERM, err, "[topics] jobs: Kafka's client refuses the topic %s: %s",
                       in->topic, rd_kafka_err2str(err));
    return 0;
}

static int make_client(struct kafka_in *in, const struct settings *s, struct err *e)
{
    char why[512];
    rd_kafka_conf_t *conf = kafka_conf_new(s, KAFKA_CONSUMER, e);

    if (!conf)
        return -1;
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_FETCH |
                                       RD_KAFKA_EVENT_OFFSET_COMMIT | RD_KAFKA_EVENT_ERROR |
                                       RD_KAFKA_EVENT_STATS | RD_KAFKA_EVENT_LOG);
    in->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    if (!in->rk) {
        rd_kafka_conf_destroy(conf);
        return err_set(e, ERR_PERM, 0, "[kafka] the consumer cannot be made: %s", why);
    }
    return 0;
}

struct kafka_in *kafka_in_new(struct loop *loop, const struct settings *s,
                              const struct jobs_source_handlers *handlers, struct err *e)
{
    struct kafka_in *in = mem_must_alloc(sizeof(*in));
    const char *brokers = settings_kafka(s, "bootstrap.servers");

    in->loop = loop;
    in->h = *handlers;
    in->topic = mem_must_strdup(s->topics.jobs);
    in->brokers = mem_must_strdup(brokers ? brokers : "(none)");
    in->log.client = "consumer";
    in->rebalancing = true;
    in->commit_gate.period_us = COMMIT_GATE_US;
    kafka_health_init(&in->health, "consumer", in->brokers, handlers->health, handlers->arg);
    in->tick = loop_timer_new(loop, on_tick, in);
    in->pop = loop_timer_new(loop, kafka_in_pop, in);
    in->refusal = loop_timer_new(loop, on_refusal, in);
    in->closer = loop_timer_new(loop, on_closer, in);
    if (make_client(in, s, e) || open_queues(in, e) || subscribe(in, e)) {
        kafka_in_free(in);
        return NULL;
    }
    loop_timer_start(in->tick, TICK_US);
    return in;
}

void kafka_in_free(struct kafka_in *in)
{
    struct kafka_part *p, *next;

    if (!in)
        return;
    HASH_ITER(hh, in->parts, p, next)
    {
        HASH_DEL(in->parts, p);
        rd_kafka_queue_destroy(p->q);
        mem_free(p);
    }
    loop_timer_free(in->tick);
    loop_timer_free(in->pop);
    loop_timer_free(in->refusal);
    loop_timer_free(in->closer);
    bool hangs = in->closing.q && in->stage != KAFKA_IN_CLOSED;
    kafka_queue_close(&in->closing);
    kafka_queue_close(&in->messages);
    kafka_queue_close(&in->control);
    /* One that hangs in closing would hang here too: it is left to the exit. */
    if (in->rk && !hangs)
        rd_kafka_destroy_flags(in->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    kafka_log_free(&in->log);
    mem_free(in->headers);
    mem_free(in->topic);
    mem_free(in->brokers);
    mem_free(in);
}

/* The producer: messages by id until acknowledged, those to be tried again in a waiting list. */
#include "worker/kafka/kafka_out.h"

#include <utlist.h>

#include "common/err.h"
#include "common/json.h"
#include "common/kafka/kafka_conf.h"
#include "common/mem.h"
#include "common/settings/settings.h"
#include "worker/kafka/kafka_out_private.h"
#include "worker/kafka/kafka_stats.h"

#define TICK_US US_PER_S
#define RETRY_BASE_US (100 * US_PER_MS)
#define RETRY_CAP_US (5 * US_PER_S)

static void note_refusal(struct kafka_out *out, enum kafka_dest dest, rd_kafka_resp_err_t err)
{
    bool any = false;

    if (out->refused[dest] == err)
        return;
    out->refused[dest] = err;
    for (size_t i = 0; i < KAFKA_DEST_COUNT && !any; i++) {
        any = out->refused[i] != RD_KAFKA_RESP_ERR_NO_ERROR;
        if (any)
            kafka_health_on_topic(&out->health, out->to[i], out->refused[i]);
    }
    if (!any)
        kafka_health_on_topic_good(&out->health);
}

static void wait_for_retry(struct kafka_out *out, struct kafka_message *m)
{
    m->waiting = true;
    DL_APPEND(out->waiting, m);
    if (!loop_timer_pending(out->retry))
        loop_timer_start(out->retry, backoff_next_us(&out->backoff));
}

static bool is_too_large(rd_kafka_resp_err_t err)
{
    return err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ||
           err == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE;
}

/* What a failure says of client and topic; the message itself waits. */
static void judge_failure(struct kafka_out *out, enum kafka_dest dest, rd_kafka_resp_err_t err)
{
    if (err == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        out->full = true;
    else if (err == RD_KAFKA_RESP_ERR__FATAL || rd_kafka_fatal_error(out->rk, NULL, 0))
        out->broken = true;
    else
        note_refusal(out, dest, err);
}

/* Gives m to librdkafka, smaller if need be, or lets it wait. */
static void hand_over(struct kafka_out *out, struct kafka_message *m)
{
    rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR__STATE;

    if (out->rk && !out->broken) {
        do {
            err = kafka_message_produce(m, out->rk, out->topic[m->dest]);
        } while (is_too_large(err) && kafka_message_shrink(m));
        if (err)
            judge_failure(out, m->dest, err);
    }
    m->waiting = false;
    if (err)
        wait_for_retry(out, m);
}

/* Tries the waiting in order, until librdkafka's queue is full. */
static void hand_over_waiting(struct kafka_out *out)
{
    struct kafka_message *list = out->waiting;
    struct kafka_message *m, *next;

    out->waiting = NULL;
    out->full = false;
    DL_FOREACH_SAFE(list, m, next)
    {
        if (out->full)
            break;
        DL_DELETE(list, m);
        hand_over(out, m);
    }
    DL_CONCAT(out->waiting, list);
}

static void on_acknowledged(struct kafka_out *out, struct kafka_message *m)
{
    uint64_t ticket = m->ticket;

    kafka_health_on_alive(&out->health);
    note_refusal(out, m->dest, RD_KAFKA_RESP_ERR_NO_ERROR);
    kafka_health_on_fatal(&out->health, NULL);
    out->replaced = false;
    backoff_reset(&out->backoff);
    HASH_DEL(out->messages, m);
    kafka_message_free(m);
    out->h.published(out->h.arg, ticket);
}

static void on_report(struct kafka_out *out, const rd_kafka_message_t *report)
{
    uint64_t id = (uintptr_t)report->_private;
    struct kafka_message *m;

    HASH_FIND(hh, out->messages, &id, sizeof(id), m);
    if (!m || m->waiting)
        return; /* from a client that was replaced */
    if (!report->err) {
        on_acknowledged(out, m);
    } else if (is_too_large(report->err) && kafka_message_shrink(m)) {
        hand_over(out, m);
    } else {
        judge_failure(out, m->dest, report->err);
        wait_for_retry(out, m);
    }
}

static void on_reports(struct kafka_out *out, rd_kafka_event_t *ev)
{
    const rd_kafka_message_t *report;

    while ((report = rd_kafka_event_message_next(ev)) != NULL)
        on_report(out, report);
    if (out->full)
        hand_over_waiting(out);
}

static void on_error(struct kafka_out *out, rd_kafka_event_t *ev)
{
    if (rd_kafka_event_error_is_fatal(ev) || rd_kafka_event_error(ev) == RD_KAFKA_RESP_ERR__FATAL) {
        out->broken = true;
        if (!loop_timer_pending(out->retry))
            loop_timer_start(out->retry, backoff_next_us(&out->backoff));
        return;
    }
    kafka_health_on_error(&out->health, rd_kafka_event_error(ev), rd_kafka_event_error_string(ev));
}

static void on_stats(struct kafka_out *out, rd_kafka_event_t *ev)
{
    struct json *stats = kafka_stats_parse(ev);

    if (stats)
        kafka_health_on_brokers(&out->health, kafka_stats_brokers(stats));
    json_free(stats);
}

static void on_event(struct kafka_out *out, rd_kafka_event_t *ev)
{
    switch (rd_kafka_event_type(ev)) {
    case RD_KAFKA_EVENT_DR:
        on_reports(out, ev);
        break;
    case RD_KAFKA_EVENT_ERROR:
        on_error(out, ev);
        break;
    case RD_KAFKA_EVENT_STATS:
        on_stats(out, ev);
        break;
    case RD_KAFKA_EVENT_LOG:
        kafka_log_event(&out->log, ev);
        break;
    default:
        break;
    }
}

void kafka_out_on_queue(void *arg)
{
    struct kafka_out *out = arg;
    rd_kafka_event_t *ev;

    while (out->queue.q && (ev = kafka_queue_pop(&out->queue)) != NULL) {
        on_event(out, ev);
        rd_kafka_event_destroy(ev);
    }
}

static void on_retry(void *arg)
{
    struct kafka_out *out = arg;

    if (out->broken)
        kafka_out_replace_client(out);
    if (out->broken)
        loop_timer_start(out->retry, backoff_next_us(&out->backoff));
    else
        hand_over_waiting(out);
}

static void on_tick(void *arg)
{
    struct kafka_out *out = arg;

    kafka_health_tick(&out->health);
    loop_timer_start(out->tick, TICK_US);
}

static void send_message(struct kafka_out *out, struct kafka_message *m)
{
    m->id = ++out->last_id;
    HASH_ADD(hh, out->messages, id, sizeof(m->id), m);
    hand_over(out, m);
}

static void port_publish(void *self, uint64_t ticket, const struct job_status *status)
{
    send_message(self, kafka_message_from_status(ticket, status));
}

static void port_dead_letter(void *self, uint64_t ticket, const struct dead_letter *letter)
{
    struct kafka_out *out = self;

    send_message(out, kafka_message_from_letter(ticket, letter, out->from));
}

static size_t port_unacked(void *self)
{
    const struct kafka_out *out = self;

    return HASH_COUNT(out->messages);
}

struct events kafka_out_port(struct kafka_out *out)
{
    return (struct events){
        .self = out,
        .publish = port_publish,
        .dead_letter = port_dead_letter,
        .unacked = port_unacked,
    };
}

struct kafka_out *kafka_out_new(struct loop *loop, const struct settings *s,
                                const struct events_handlers *handlers, struct err *e)
{
    struct kafka_out *out = mem_must_alloc(sizeof(*out));
    const char *brokers = settings_kafka(s, "bootstrap.servers");

    out->loop = loop;
    out->h = *handlers;
    out->brokers = mem_must_strdup(brokers ? brokers : "(none)");
    out->from = mem_must_strdup(s->topics.jobs);
    out->to[KAFKA_TO_EVENTS] = mem_must_strdup(s->topics.events);
    out->to[KAFKA_TO_DEAD] = mem_must_strdup(s->topics.dead);
    out->backoff = (struct backoff){.base_us = RETRY_BASE_US, .cap_us = RETRY_CAP_US};
    out->log.client = "producer";
    kafka_health_init(&out->health, "producer", out->brokers, handlers->health, handlers->arg);
    out->retry = loop_timer_new(loop, on_retry, out);
    out->tick = loop_timer_new(loop, on_tick, out);
    out->conf = kafka_conf_new(s, KAFKA_PRODUCER, e);
    if (out->conf)
        rd_kafka_conf_set_events(out->conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR |
                                                RD_KAFKA_EVENT_STATS | RD_KAFKA_EVENT_LOG);
    if (!out->conf || kafka_out_make_client(out, e)) {
        kafka_out_free(out);
        return NULL;
    }
    loop_timer_start(out->tick, TICK_US);
    return out;
}

void kafka_out_free(struct kafka_out *out)
{
    struct kafka_message *m, *next;

    if (!out)
        return;
    kafka_out_drop_client(out);
    if (out->conf)
        rd_kafka_conf_destroy(out->conf);
    HASH_ITER(hh, out->messages, m, next)
    {
        HASH_DEL(out->messages, m);
        kafka_message_free(m);
    }
    loop_timer_free(out->retry);
    loop_timer_free(out->tick);
    kafka_log_free(&out->log);
    for (size_t i = 0; i < KAFKA_DEST_COUNT; i++)
        mem_free(out->to[i]);
    mem_free(out->from);
    mem_free(out->brokers);
    mem_free(out);
}

/* Delivery: records from the message queue to the pipeline, as far as credit goes. */
#include "common/mem.h"
#include "worker/kafka/kafka_in_private.h"

/* Records in one turn of the loop; sockets and timers come first then. */
#define BURST_MAX 1024

struct kafka_part *kafka_in_get_part(const struct kafka_in *in, int32_t partition)
{
    struct kafka_part *p;

    HASH_FIND(hh, in->parts, &partition, sizeof(partition), p);
    return p;
}

/* Read once a burst; a record's own offset is newer than a value read before it was fetched. */
static int64_t log_end_of(struct kafka_in *in, struct kafka_part *p, int64_t offset)
{
    if (p->log_end_burst != in->burst) {
        int64_t low, high;
        p->log_end_burst = in->burst;
        p->log_end = -1;
        if (rd_kafka_get_watermark_offsets(in->rk, in->topic, p->partition, &low, &high) ==
                RD_KAFKA_RESP_ERR_NO_ERROR &&
            high >= 0)
            p->log_end = high;
    }
    return p->log_end < 0 ? -1 : MAX(p->log_end, offset + 1);
}

/* Points rec at the headers, which live as long as the message. */
static void read_headers(struct kafka_in *in, const rd_kafka_message_t *m, struct record *rec)
{
    rd_kafka_headers_t *list;
    size_t n;

    if (rd_kafka_message_headers(m, &list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    n = rd_kafka_header_cnt(list);
    if (n > in->headers_cap) {
        mem_free(in->headers);
        in->headers = mem_must_alloc(n * sizeof(*in->headers));
        in->headers_cap = n;
    }
    for (size_t i = 0; i < n; i++) {
        struct record_header *h = &in->headers[i];
        if (rd_kafka_header_get_all(list, i, &h->name, &h->value, &h->len) !=
            RD_KAFKA_RESP_ERR_NO_ERROR)
            return;
    }
    rec->headers = in->headers;
    rec->n_headers = n;
}

static void deliver(struct kafka_in *in, const rd_kafka_message_t *m)
{
    struct kafka_part *p = kafka_in_get_part(in, m->partition);
    rd_kafka_timestamp_type_t type;

    /* Popped after its partition went away: its next owner has it from the committed offset on. */
    if (m->err || !p || !p->started)
        return;
    if (p->log_end_burst != in->burst)
        kafka_health_on_topic_good(&in->health);
    int64_t at_ms = rd_kafka_message_timestamp(m, &type);
    struct record rec = {
        .partition = m->partition,
        .offset = m->offset,
        .published_us =
            type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || at_ms < 0 ? -1 : at_ms * US_PER_MS,
        .log_end = log_end_of(in, p, m->offset),
        .key = m->key,
        .key_len = m->key ? m->key_len : 0,
        .value = m->payload,
        .value_len = m->payload ? m->len : 0,
    };
    read_headers(in, m, &rec);
    in->credit--;
    in->h.record(in->h.arg, &rec);
}

static void on_message_event(struct kafka_in *in, rd_kafka_event_t *ev)
{
    const rd_kafka_message_t *m;

    if (rd_kafka_event_type(ev) != RD_KAFKA_EVENT_FETCH) {
        kafka_in_on_event(in, ev);
        return;
    }
    while ((m = rd_kafka_event_message_next(ev)) != NULL)
        deliver(in, m);
}

void kafka_in_pop(void *arg)
{
    struct kafka_in *in = arg;

    in->burst++;
    in->more = false;
    for (unsigned n = 0; n < BURST_MAX && in->credit > 0; n++) {
        rd_kafka_event_t *ev = kafka_queue_pop(&in->messages);
        if (!ev)
            return;
        on_message_event(in, ev);
        rd_kafka_event_destroy(ev);
    }
    in->more = true;
    if (in->credit > 0)
        loop_timer_start(in->pop, 0);
}

void kafka_in_start(void *self, int32_t partition)
{
    struct kafka_in *in = self;
    struct kafka_part *p = kafka_in_get_part(in, partition);

    if (!p || p->started || in->stage != KAFKA_IN_OPEN)
        return; /* revoked while its epoch was being taken */
    p->started = true;
    rd_kafka_queue_forward(p->q, in->messages.q);
    /* What it fetched meanwhile may have moved over without a wake-up. */
    in->more = true;
    if (in->credit > 0)
        loop_timer_start(in->pop, 0);
}

void kafka_in_allow(void *self, size_t n)
{
    struct kafka_in *in = self;

    in->credit = in->stage == KAFKA_IN_OPEN ? n : 0;
    if (in->credit > 0 && in->more)
        loop_timer_start(in->pop, 0);
}

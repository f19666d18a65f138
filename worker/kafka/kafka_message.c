/* Making, shrinking and producing of messages. */
#include "worker/kafka/kafka_message.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "common/text.h"

/* Bytes from outside: false when there is no memory for them. NULL stays NULL, empty stays empty.
 */
static bool copy_bytes(void **to, size_t *to_len, const void *from, size_t len)
{
    *to = NULL;
    *to_len = 0;
    if (!from)
        return true;
    *to = mem_alloc(len > 0 ? len : 1);
    if (!*to)
        return false;
    if (len > 0)
        memcpy(*to, from, len);
    *to_len = len;
    return true;
}

static void add_header(rd_kafka_headers_t *list, const char *name, const char *value)
{
    if (value)
        (void)rd_kafka_header_add(list, name, -1, value, -1);
}

static void add_number(rd_kafka_headers_t *list, const char *name, int64_t number)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, number);
    add_header(list, name, text);
}

static void add_origin(rd_kafka_headers_t *list, const struct kafka_origin *o, const char *omitted)
{
    char at[TEXT_TIME_SIZE];

    text_from_time_us(o->at_us, at);
    add_header(list, "sendcode-error", o->error);
    add_header(list, "sendcode-topic", o->topic);
    add_number(list, "sendcode-partition", o->partition);
    add_number(list, "sendcode-offset", o->offset);
    add_header(list, "sendcode-at", at);
    add_header(list, "sendcode-omitted", omitted);
}

struct kafka_message *kafka_message_from_status(uint64_t ticket, const struct job_status *status)
{
    struct kafka_message *m = mem_must_alloc(sizeof(*m));
    struct json *event = job_status_to_event(status);
    size_t len;
    const char *text = json_text(event, &len);

    m->ticket = ticket;
    m->dest = KAFKA_TO_EVENTS;
    if (!copy_bytes(&m->key, &m->key_len, status->job_id, strlen(status->job_id)) ||
        !copy_bytes(&m->value, &m->value_len, text, len))
        panic("no memory for an event of %zu bytes", len);
    json_free(event);
    if (status->traceparent || status->tracestate) {
        m->headers = rd_kafka_headers_new(2);
        add_header(m->headers, "traceparent", status->traceparent);
        add_header(m->headers, "tracestate", status->tracestate);
    }
    return m;
}

/* Drops value and headers but ours. */
static void omit(struct kafka_message *m, const char *omitted)
{
    mem_free(m->value);
    m->value = NULL;
    m->value_len = 0;
    if (m->headers)
        rd_kafka_headers_destroy(m->headers);
    m->headers = rd_kafka_headers_new(6);
    add_origin(m->headers, &m->origin, omitted);
    m->whole = false;
}

/* How often `sendcodectl replay` has put the record back, as its last header of that name says. */
static int64_t replays_of(const struct record *r)
{
    for (size_t i = r->n_headers; i-- > 0;) {
        const struct record_header *h = &r->headers[i];
        char text[8];
        int64_t n = 0;

        if (strcmp(h->name, "sendcode-replays") != 0)
            continue;
        snprintf(text, sizeof(text), "%.*s", h->value ? (int)MIN(h->len, sizeof(text)) : 0,
                 h->value ? (const char *)h->value : "");
        return text_to_int(text, 1, 999999, &n) ? n : 0;
    }
    return 0;
}

static void say_error(struct kafka_origin *o, const char *error, int64_t replays)
{
    if (replays == 0)
        snprintf(o->error, sizeof(o->error), "%s", error);
    else
        snprintf(o->error, sizeof(o->error), "%s (replayed %" PRId64 " time%s)", error, replays,
                 replays == 1 ? "" : "s");
}

struct kafka_message *kafka_message_from_letter(uint64_t ticket, const struct dead_letter *letter,
                                                const char *from)
{
    const struct record *r = letter->record;
    struct kafka_message *m = mem_must_alloc(sizeof(*m));

    m->ticket = ticket;
    m->dest = KAFKA_TO_DEAD;
    m->origin = (struct kafka_origin){
        .topic = from, .partition = r->partition, .offset = r->offset, .at_us = letter->at_us};
    say_error(&m->origin, letter->error, replays_of(r));
    bool fits = copy_bytes(&m->key, &m->key_len, r->key, r->key_len);
    if (letter->omit_code || !fits ||
        !copy_bytes(&m->value, &m->value_len, r->value, r->value_len)) {
        omit(m, letter->omit_code ? "code" : "size");
        return m;
    }
    m->whole = true;
    m->headers = rd_kafka_headers_new(r->n_headers + 5);
    for (size_t i = 0; i < r->n_headers; i++)
        (void)rd_kafka_header_add(m->headers, r->headers[i].name, -1, r->headers[i].value,
                                  (ssize_t)r->headers[i].len);
    add_origin(m->headers, &m->origin, NULL);
    return m;
}

void kafka_message_free(struct kafka_message *m)
{
    if (m->headers)
        rd_kafka_headers_destroy(m->headers);
    mem_free(m->key);
    mem_free(m->value);
    mem_free(m);
}

bool kafka_message_shrink(struct kafka_message *m)
{
    if (m->whole) {
        omit(m, "size");
        return true;
    }
    if (m->dest == KAFKA_TO_DEAD && m->key) {
        mem_free(m->key);
        m->key = NULL;
        m->key_len = 0;
        return true;
    }
    return false;
}

static void *opaque_of(const struct kafka_message *m)
{
    return (void *)(uintptr_t)m->id;
}

rd_kafka_resp_err_t kafka_message_produce(const struct kafka_message *m, rd_kafka_t *rk,
                                          rd_kafka_topic_t *topic)
{
    rd_kafka_headers_t *headers;
    rd_kafka_resp_err_t err;

    if (!m->headers)
        return rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, m->value,
                                m->value_len, m->key, m->key_len, opaque_of(m)) == 0
                   ? RD_KAFKA_RESP_ERR_NO_ERROR
                   : rd_kafka_last_error();
    /* By its handle: a topic by name is looked up first, which can take a second before 2.10.1. */
    headers = rd_kafka_headers_copy(m->headers);
    err = rd_kafka_producev(rk, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                            RD_KAFKA_V_VALUE(m->value, m->value_len),
                            RD_KAFKA_V_KEY(m->key, m->key_len), RD_KAFKA_V_HEADERS(headers),
                            RD_KAFKA_V_OPAQUE(opaque_of(m)), RD_KAFKA_V_END);
    if (err)
        rd_kafka_headers_destroy(headers); /* taken over only by success */
    return err;
}

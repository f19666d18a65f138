/*
 * Every partition is assigned by hand at its lowest offset. It ends at the offset that was the next
 * one at the start, so that letters which come of a replay are not met by it; where no record has
 * the last offset (transactions), the broker's end of partition tells.
 */
#include "ctl/kafka_letters.h"

#include "common/clock.h"
#include "common/mem.h"
#include "common/settings/settings.h"
#include "ctl/ctl.h"
#include "ctl/kafka_client.h"
#include "ctl/letter.h"

#define PATIENCE_US (30 * US_PER_S)

struct part {
    int64_t low, at, end;
};

struct kafka_letters {
    const struct ctl *ctl;
    rd_kafka_t *rk;
    struct part *parts;
    int n_parts;
    int n_open; /* partitions that are not at their end */
    int64_t heard_us;
    rd_kafka_resp_err_t trouble; /* the last error since then */
};

/* Where each partition begins and ends now. */
static int find_bounds(struct kafka_letters *k, const char *topic)
{
    int code = EXIT_DONE;

    for (int i = 0; i < k->n_parts && code == EXIT_DONE; i++) {
        struct part *p = &k->parts[i];

        code = kafka_client_bounds(k->ctl, k->rk, topic, i, &p->low, &p->end);
        p->at = p->low;
        if (p->at < p->end)
            k->n_open++;
    }
    return code;
}

static int assign_all(struct kafka_letters *k, const char *topic)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(k->n_parts);
    rd_kafka_resp_err_t err;

    for (int i = 0; i < k->n_parts; i++)
        if (k->parts[i].at < k->parts[i].end)
            rd_kafka_topic_partition_list_add(list, topic, i)->offset = k->parts[i].low;
    err = rd_kafka_assign(k->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (!err)
        return EXIT_DONE;
    ctl_say(k->ctl, "Kafka lets nobody read the topic %s: %s", topic, rd_kafka_err2str(err));
    return EXIT_UNREACHABLE;
}

static int begin(struct kafka_letters *k, const char *name)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(k->rk, name, NULL);
    int code = kafka_client_partitions(k->ctl, k->rk, topic, &k->n_parts);

    if (code == EXIT_DONE) {
        k->parts = mem_must_alloc((size_t)k->n_parts * sizeof *k->parts);
        code = find_bounds(k, name);
    }
    if (code == EXIT_DONE)
        code = assign_all(k, name);
    rd_kafka_topic_destroy(topic);
    k->heard_us = clock_boot_us();
    return code;
}

struct kafka_letters *kafka_letters_open(const struct ctl *c, const struct settings *s, int *code)
{
    rd_kafka_t *rk = kafka_client_new(c, s, KAFKA_CONSUMER, NULL, NULL);
    struct kafka_letters *k;

    *code = EXIT_CONFIGURATION;
    if (!rk)
        return NULL;
    rd_kafka_poll_set_consumer(rk);
    k = mem_must_alloc(sizeof *k);
    *k = (struct kafka_letters){.ctl = c, .rk = rk};
    *code = begin(k, s->topics.dead);
    if (*code == EXIT_DONE)
        return k;
    kafka_letters_close(k);
    return NULL;
}

void kafka_letters_close(struct kafka_letters *k)
{
    if (!k)
        return;
    rd_kafka_consumer_close(k->rk);
    rd_kafka_destroy(k->rk);
    mem_free(k->parts);
    mem_free(k);
}

static struct letter *letter_from_message(rd_kafka_message_t *m)
{
    struct letter *l = mem_must_alloc(sizeof *l);
    rd_kafka_headers_t *headers = NULL;

    *l = (struct letter){.message = m,
                         .partition = m->partition,
                         .offset = m->offset,
                         .key = m->key,
                         .key_len = m->key_len,
                         .value = m->payload,
                         .value_len = m->len};
    if (rd_kafka_message_headers(m, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return l;
    l->n_headers = rd_kafka_header_cnt(headers);
    l->headers = mem_must_alloc(MAX(l->n_headers, 1) * sizeof *l->headers);
    for (size_t i = 0; i < l->n_headers; i++)
        (void)rd_kafka_header_get_all(headers, i, &l->headers[i].name, &l->headers[i].value,
                                      &l->headers[i].len);
    return l;
}

void kafka_letter_free(struct letter *l)
{
    rd_kafka_message_destroy(l->message);
    mem_free(l->headers);
    mem_free(l);
}

/* The partition is read up to `next`. */
static void advance(struct kafka_letters *k, int32_t partition, int64_t next)
{
    struct part *p = &k->parts[partition];

    if (p->at < p->end && next >= p->end)
        k->n_open--;
    p->at = MIN(next, p->end);
    k->heard_us = clock_boot_us();
    k->trouble = RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* What is no record: the end of a partition, or trouble, which librdkafka tries to mend. */
static enum letters_got on_nothing(struct kafka_letters *k, const rd_kafka_message_t *m)
{
    if (m && m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        advance(k, m->partition, k->parts[m->partition].end);
    else if (m)
        k->trouble = m->err;
    if (clock_boot_us() - k->heard_us < PATIENCE_US)
        return LETTERS_NONE_YET;
    ctl_say(k->ctl, "Kafka gives no dead letters any more: %s",
            rd_kafka_err2str(k->trouble ? k->trouble : RD_KAFKA_RESP_ERR__TIMED_OUT));
    return LETTERS_FAILED;
}

enum letters_got kafka_letters_next(struct kafka_letters *k, int timeout_ms, struct letter **l)
{
    rd_kafka_message_t *m;
    enum letters_got got;

    if (k->n_open == 0)
        return LETTERS_END;
    m = rd_kafka_consumer_poll(k->rk, timeout_ms);
    if (m && !m->err) {
        bool ours = m->offset < k->parts[m->partition].end;
        advance(k, m->partition, m->offset + 1);
        if (ours) {
            *l = letter_from_message(m);
            return LETTERS_ONE;
        }
        got = LETTERS_NONE_YET;
    } else {
        got = on_nothing(k, m);
    }
    if (m)
        rd_kafka_message_destroy(m);
    return got;
}

static size_t sum(const struct kafka_letters *k, bool whole)
{
    int64_t n = 0;

    for (int i = 0; i < k->n_parts; i++)
        n += (whole ? k->parts[i].end : k->parts[i].at) - k->parts[i].low;
    return (size_t)n;
}

size_t kafka_letters_done(const struct kafka_letters *k)
{
    return sum(k, false);
}

size_t kafka_letters_total(const struct kafka_letters *k)
{
    return sum(k, true);
}

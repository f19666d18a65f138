/* Handlers of the jobs source that only write down, and check what must never happen. */
#include "tests/unit/kafka_taker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* cmocka needs setjmp and stdarg */
#include <cmocka.h>

#include "common/err.h"
#include "worker/kafka/kafka_in.h"

static void on_assigned(void *arg, const int32_t *partitions, size_t n)
{
    struct taker *t = arg;

    t->assigned++;
    for (size_t i = 0; i < n; i++) {
        int32_t p = partitions[i];
        assert_false(t->owned[p]);
        t->owned[p] = true;
        t->next[p] = t->first[p] = -1;
        t->started[p] = t->start;
        if (t->start)
            t->port.start(t->port.self, p);
    }
}

static size_t on_revoked(void *arg, const int32_t *partitions, size_t n, bool lost,
                         struct source_offset *commit)
{
    struct taker *t = arg;
    size_t n_commit = 0;

    t->revoked++;
    t->lost += lost;
    t->revoked_partitions += n;
    for (size_t i = 0; i < n; i++) {
        int32_t p = partitions[i];
        assert_true(t->owned[p]);
        t->owned[p] = t->started[p] = false;
        if (t->next[p] >= 0)
            commit[n_commit++] = (struct source_offset){.partition = p, .offset = t->next[p]};
    }
    return n_commit;
}

static void text_of(char out[RIG_TEXT], const void *bytes, size_t len)
{
    snprintf(out, RIG_TEXT, "%.*s", (int)MIN(len, (size_t)RIG_TEXT - 1),
             bytes ? (const char *)bytes : "");
}

static void on_record(void *arg, const struct record *rec)
{
    struct taker *t = arg;
    int32_t p = rec->partition;

    t->stray = t->stray || !t->owned[p] || !t->started[p];
    t->disorder = t->disorder || rec->offset < t->next[p];
    if (t->next[p] < 0)
        t->first[p] = rec->offset;
    t->next[p] = rec->offset + 1;
    t->seen[p]++;
    t->total++;
    t->log_end = rec->log_end;
    t->published_us = rec->published_us;
    t->key_null = !rec->key;
    t->value_null = !rec->value;
    t->value_len = rec->value_len;
    text_of(t->key, rec->key, rec->key_len);
    text_of(t->value, rec->value, rec->value_len);
    t->header_name[0] = t->header_value[0] = '\0';
    if (rec->n_headers > 0) {
        text_of(t->header_name, rec->headers[0].name, strlen(rec->headers[0].name));
        text_of(t->header_value, rec->headers[0].value, rec->headers[0].len);
    }
    if (t->hook)
        t->hook(t->hook_arg, rec);
}

static void on_committed(void *arg, bool ok)
{
    struct taker *t = arg;

    t->commits_good += ok;
    t->commits_bad += !ok;
}

static void on_health(void *arg, const char *why)
{
    struct taker *t = arg;

    t->healthy = !why;
    snprintf(t->why, sizeof(t->why), "%s", why ? why : "");
}

static void on_lag(void *arg, int32_t partition, int64_t records)
{
    struct taker *t = arg;

    t->lag[partition] = records;
}

static void on_closed(void *arg)
{
    struct taker *t = arg;

    t->closed = true;
}

void taker_open(struct taker *t, struct rig *r, bool start, size_t credit)
{
    struct err e = {0};
    struct jobs_source_handlers h = {.arg = t,
                                     .assigned = on_assigned,
                                     .revoked = on_revoked,
                                     .record = on_record,
                                     .committed = on_committed,
                                     .health = on_health,
                                     .lag = on_lag,
                                     .closed = on_closed};

    *t = (struct taker){.rig = r, .start = start};
    for (size_t i = 0; i < TAKER_PARTITIONS; i++)
        t->next[i] = t->first[i] = t->lag[i] = -1;
    t->in = kafka_in_new(r->loop, &r->settings, &h, &e);
    if (!t->in)
        fail_msg("%s", e.text);
    t->port = kafka_in_port(t->in);
    t->port.allow(t->port.self, credit);
}

static bool is_closed(void *arg)
{
    return ((struct taker *)arg)->closed;
}

void taker_close(struct taker *t)
{
    t->port.close(t->port.self);
    rig_wait(t->rig, is_closed, t, "the source to be closed");
    assert_int_equal(taker_owns(t), 0);
    kafka_in_free(t->in);
    assert_false(t->stray);
    assert_false(t->disorder);
}

size_t taker_owns(const struct taker *t)
{
    size_t n = 0;

    for (size_t i = 0; i < TAKER_PARTITIONS; i++)
        n += t->owned[i];
    return n;
}

void taker_commit(struct taker *t)
{
    struct source_offset offsets[TAKER_PARTITIONS];
    size_t n = 0;

    for (int32_t p = 0; p < TAKER_PARTITIONS; p++)
        if (t->owned[p] && t->next[p] >= 0)
            offsets[n++] = (struct source_offset){.partition = p, .offset = t->next[p]};
    t->port.commit(t->port.self, offsets, n);
}

bool taker_has_delivered(void *goal)
{
    const struct goal *g = goal;
    return g->t->total >= g->n;
}

bool taker_owns_goal(void *goal)
{
    const struct goal *g = goal;
    return (int64_t)taker_owns(g->t) == g->n;
}

void taker_await(struct taker *t, int64_t n)
{
    struct goal g = {t, n};
    rig_wait(t->rig, taker_has_delivered, &g, "records to be delivered");
}

/* Partitions, epochs and incarnations. */
#include "worker/ownership.h"

#include "common/backoff.h"
#include "common/crashpoint.h"
#include "common/mem.h"

#define FENCED_PAUSE_MIN_US (US_PER_S / 2)
#define FENCED_PAUSE_MAX_US (3 * US_PER_S)

void ownership_add(struct ownership *o, int32_t partition)
{
    if (ownership_get(o, partition))
        return;
    struct partition *p = mem_must_alloc(sizeof(*p));
    p->id = partition;
    HASH_ADD_INT(o->partitions, id, p);
}

struct partition *ownership_get(struct ownership *o, int32_t partition)
{
    struct partition *p = NULL;
    HASH_FIND_INT(o->partitions, &partition, p);
    return p;
}

void ownership_remove(struct ownership *o, struct partition *p)
{
    HASH_DEL(o->partitions, p);
    mem_free(p);
}

size_t ownership_wanted(struct ownership *o, int64_t now_us, struct epoch_ask *asks, size_t max)
{
    size_t n = 0;
    struct partition *p, *next;
    HASH_ITER(hh, o->partitions, p, next)
    {
        if (n == max)
            break;
        if (p->epoch != 0 || p->ask_at_us > now_us)
            continue;
        p->asked = true;
        asks[n++] = (struct epoch_ask){.partition = p->id, .restarted = p->restarted};
    }
    return n;
}

int64_t ownership_next_us(const struct ownership *o, int64_t now_us)
{
    int64_t soonest = -1;
    for (const struct partition *p = o->partitions; p; p = p->hh.next) {
        if (p->epoch != 0)
            continue;
        int64_t wait = MAX(p->ask_at_us - now_us, 0);
        if (soonest < 0 || wait < soonest)
            soonest = wait;
    }
    return soonest;
}

struct partition *ownership_on_epoch(struct ownership *o, const struct epoch_answer *a)
{
    struct partition *p = ownership_get(o, a->partition);
    if (!p || !p->asked)
        return NULL;
    p->asked = false;
    p->epoch = a->epoch;
    p->incarnation = a->incarnation;
    p->next_offset = a->next_offset;
    p->restarted = false;
    return p;
}

void ownership_on_fenced(struct partition *p, int64_t epoch, int64_t now_us)
{
    if (p->epoch != epoch)
        return; /* a newer one was taken meanwhile */
    int64_t span = FENCED_PAUSE_MAX_US - FENCED_PAUSE_MIN_US;
    p->epoch = 0;
    p->ask_at_us = now_us + FENCED_PAUSE_MIN_US + (int64_t)backoff_random() % span;
}

bool ownership_met(struct partition *p, const struct record *rec, int64_t *gap_start)
{
    int64_t expected = p->offsets.next;
    if (!p->met) {
        p->met = true;
        expected = p->next_offset;
        if (rec->log_end >= 0 && rec->log_end < p->next_offset) {
            p->restarted = true;
            p->epoch = 0;
            p->next_offset = 0;
            expected = 0;
        }
    }
    *gap_start = expected;
    return expected > 0 && rec->offset > expected;
}

bool ownership_went_back(const struct partition *p, const struct record *rec)
{
    return p->met && rec->offset < p->offsets.next;
}

size_t ownership_to_commit(const struct ownership *o, struct source_offset *out, size_t max)
{
    size_t n = 0;
    for (const struct partition *p = o->partitions; p && n < max; p = p->hh.next) {
        int64_t position = offsets_position(&p->offsets);
        if (p->met && position > p->offsets.committed)
            out[n++] = (struct source_offset){.partition = p->id, .offset = position};
    }
    return n;
}

void ownership_on_committed(struct ownership *o, const struct source_offset *offsets, size_t n)
{
    CRASHPOINT("commit_answered");
    for (size_t i = 0; i < n; i++) {
        struct partition *p = ownership_get(o, offsets[i].partition);
        if (p)
            p->offsets.committed = MAX(p->offsets.committed, offsets[i].offset);
    }
}

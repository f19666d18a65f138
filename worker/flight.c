/* Flights: their lists, their table, their memory. */
#include "worker/flight.h"

#include <utlist.h>

#include "common/loop.h"
#include "common/mem.h"
#include "worker/settings_use.h"

#define ARENA_FIRST_BLOCK 1024
#define RETRY_BASE_US (500 * US_PER_MS)
#define RETRY_CAP_US (15 * US_PER_S)
#define BUSY_BASE_US (100 * US_PER_MS)
#define BUSY_CAP_US (2 * US_PER_S)

struct flight *flight_new(struct flights *all)
{
    struct flight *f = mem_must_alloc(sizeof(*f));
    f->arena = arena_new(ARENA_FIRST_BLOCK);
    if (!f->arena)
        panic("out of memory for one more record; it stays in Kafka");
    f->ticket = ++all->last_ticket;
    f->place = PLACE_WAITING;
    f->published_us = -1;
    f->retry = (struct backoff){.base_us = RETRY_BASE_US, .cap_us = RETRY_CAP_US};
    f->busy = (struct backoff){.base_us = BUSY_BASE_US, .cap_us = BUSY_CAP_US};
    HASH_ADD(hh, all->by_ticket, ticket, sizeof(f->ticket), f);
    DL_APPEND(all->at[f->place], f);
    all->count[f->place]++;
    return f;
}

void flight_move(struct flights *all, struct flight *f, enum place to)
{
    DL_DELETE(all->at[f->place], f);
    all->count[f->place]--;
    f->place = to;
    DL_APPEND(all->at[to], f);
    all->count[to]++;
}

struct flight *flight_get(struct flights *all, uint64_t ticket)
{
    struct flight *f = NULL;
    HASH_FIND(hh, all->by_ticket, &ticket, sizeof(ticket), f);
    return f;
}

static bool keep_headers(struct arena *a, struct record *to, const struct record *from)
{
    struct record_header *headers = arena_alloc(a, from->n_headers * sizeof(*headers));
    if (!headers)
        return false;
    for (size_t i = 0; i < from->n_headers; i++) {
        const struct record_header *h = &from->headers[i];
        headers[i] = *h;
        headers[i].name = arena_strndup(a, h->name, strlen(h->name));
        headers[i].value = h->value ? arena_memdup(a, h->value, h->len) : NULL;
        if (!headers[i].name || (h->value && !headers[i].value))
            return false;
    }
    to->headers = headers;
    return true;
}

bool flight_keep_record(struct flights *all, struct flight *f, const struct record *rec)
{
    f->record = *rec;
    f->record.key = rec->key ? arena_memdup(f->arena, rec->key, rec->key_len) : NULL;
    f->record.value = rec->value ? arena_memdup(f->arena, rec->value, rec->value_len) : NULL;
    bool ok = (!rec->key || f->record.key) && (!rec->value || f->record.value) &&
              (rec->n_headers == 0 || keep_headers(f->arena, &f->record, rec));
    flight_count_bytes(all, f, arena_size(f->arena));
    return ok;
}

void flight_count_bytes(struct flights *all, struct flight *f, size_t bytes)
{
    f->bytes += bytes;
    all->bytes += bytes;
}

void flight_free(struct flights *all, struct flight *f)
{
    DL_DELETE(all->at[f->place], f);
    all->count[f->place]--;
    HASH_DELETE(hh, all->by_ticket, f);
    loop_timer_free(f->timer);
    settings_use_drop(f->settings);
    all->bytes -= f->bytes;
    arena_free(f->arena);
    mem_wipe(f->outcome.proof, sizeof(f->outcome.proof));
    mem_free(f);
}

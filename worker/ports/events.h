/*
 * Port: the events and dead-letter topics. Adapter: worker/kafka/kafka_out; fake: tests/replay.
 * Everything is copied by the call. The adapter repeats until the broker acknowledges; its own
 * backlog is bounded by what the pipeline has under way.
 */
#ifndef SENDCODE_WORKER_PORTS_EVENTS_H
#define SENDCODE_WORKER_PORTS_EVENTS_H

#include "common/base.h"
#include "common/domain/job_status.h"
#include "worker/ports/jobs_source.h"

struct dead_letter {
    const struct record *record; /* key, value and headers go byte for byte … */
    bool omit_code;              /* … but without value and headers: it may hold a code */
    const char *error; /* `sendcode-error`: one ASCII line, ≤ 170 characters; the adapter adds how
                          often the record was replayed */
    int64_t at_us;     /* Unix microseconds, for `sendcode-at` */
};

struct events_handlers {
    void *arg;
    void (*published)(void *arg, uint64_t ticket); /* acknowledged by the broker */
    void (*health)(void *arg, const char *why);
};

struct events {
    void *self;
    void (*publish)(void *self, uint64_t ticket, const struct job_status *status);
    void (*dead_letter)(void *self, uint64_t ticket, const struct dead_letter *letter);
    size_t (*unacked)(void *self);
};

#endif

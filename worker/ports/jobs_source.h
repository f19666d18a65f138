/*
 * Port: where jobs come from. Adapter: worker/kafka/kafka_in; fake: tests/replay.
 *
 * Deals in records of one topic. The source calls `assigned` and `revoked` from the loop, in order;
 * it delivers records of a partition only between `start` for it and its revocation, in offset
 * order, and only while credit lasts. The offsets to commit are the pipeline's to know.
 */
#ifndef SENDCODE_WORKER_PORTS_JOBS_SOURCE_H
#define SENDCODE_WORKER_PORTS_JOBS_SOURCE_H

#include "common/base.h"

struct record_header {
    const char *name;
    const void *value; /* NULL is possible */
    size_t len;
};

/* Borrowed during the call: copy what is needed. */
struct record {
    int32_t partition;
    int64_t offset;
    int64_t published_us; /* the record's timestamp, Unix microseconds; -1 if none */
    int64_t log_end;      /* the partition's high watermark as last fetched; -1 unknown */
    const void *key;      /* NULL: none */
    size_t key_len;
    const void *value; /* NULL: tombstone */
    size_t value_len;
    const struct record_header *headers;
    size_t n_headers;
};

/* An offset to commit: the next record to read. */
struct source_offset {
    int32_t partition;
    int64_t offset;
};

struct jobs_source_handlers {
    void *arg;
    /* New partitions are ours (cooperative: in addition). */
    void (*assigned)(void *arg, const int32_t *partitions, size_t n);
    /*
     * They are no longer ours when this returns. lost: somebody else may have them already. The
     * handler writes what to commit to `commit` (room for n) and returns how many; the source
     * commits them synchronously before it lets go, unless lost.
     */
    size_t (*revoked)(void *arg, const int32_t *partitions, size_t n, bool lost,
                      struct source_offset *commit);
    void (*record)(void *arg, const struct record *rec);
    /* The commit asked for by `commit` is through (ok) or failed and is to be tried again later. */
    void (*committed)(void *arg, bool ok);
    /* Reachability of the service, for /readyz; why is one sentence, NULL when reachable. */
    void (*health)(void *arg, const char *why);
    void (*lag)(void *arg, int32_t partition, int64_t records); /* from statistics */
    void (*closed)(void *arg);                                  /* answer to close */
};

struct jobs_source {
    void *self;
    /* From now on records of this partition may be delivered (its epoch is taken). */
    void (*start)(void *self, int32_t partition);
    /* How many more records may be delivered, in all, until the next call; 0 stops. Replaces. */
    void (*allow)(void *self, size_t n);
    /* One commit may be under way; asynchronous; answered by `committed`. */
    void (*commit)(void *self, const struct source_offset *offsets, size_t n);
    /* Leaves the group (revoking everything through `revoked`), then calls `closed`. */
    void (*close)(void *self);
};

#endif

/*
 * Tells the provider of codes that were verified, where [tencent] report_conversions says so: a few
 * are taken from the database, and told one after the other. What was taken is not handed out
 * again, so a worker that ends in between leaves at most CONVERSIONS_MAX untold; nobody waits for
 * it.
 */
#ifndef SENDCODE_WORKER_CONVERSIONS_H
#define SENDCODE_WORKER_CONVERSIONS_H

#include "common/backoff.h"
#include "common/base.h"
#include "common/domain/receipt.h"
#include "common/log.h"
#include "worker/ports/conversions.h"

#define CONVERSION_SCENE_MAX 64

struct loop;
struct loop_timer;
struct meters;
struct receipts_db;
struct settings;

enum conversions_step {
    CONVERSIONS_REST,  /* until the next look */
    CONVERSIONS_GO_ON, /* what is next is decided at the next turn */
    CONVERSIONS_TAKEN, /* the database is asked for some */
    CONVERSIONS_TELL,  /* the provider is told of one */
};

struct conversions {
    struct loop *loop;
    struct receipts_db *db;
    struct conversions_provider *provider;
    const struct settings *settings;
    struct meters *meters;
    struct loop_timer *timer; /* the next look, or the end of a pause */
    void (*wake)(void *arg);
    void *arg;
    bool draining;

    enum conversions_step step;
    int64_t not_before_us; /* boot clock */
    struct {
        char scene[CONVERSION_SCENE_MAX];
        char locale[CONVERSION_SCENE_MAX]; /* "": none */
        char serial_no[RECEIPT_SERIAL_MAX + 1];
        int64_t verified_us;
    } kept[CONVERSIONS_MAX];
    size_t n, next;
    unsigned failures; /* of the next one */
    struct backoff backoff;
    struct log_gate failed, untold;
};

/* The ports must be set before it is started. */
void conversions_init(struct conversions *c, struct loop *l, const struct settings *s,
                      struct meters *meters, void (*wake)(void *arg), void *arg);
void conversions_start(struct conversions *c, struct receipts_db *db,
                       struct conversions_provider *provider);
void conversions_free(struct conversions *c);

/* Does what is next, if the database's connection is free for it. */
void conversions_pump(struct conversions *c);

void conversions_on_taken(struct conversions *c, const struct conversion *rows, size_t n);
void conversions_on_told(struct conversions *c, enum conversion_fate fate, const char *why);

#endif

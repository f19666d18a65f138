/*
 * What the worker needs and whether it has it: for /readyz, and for the log (once when it is lost,
 * at intervals while it is, once when it is back).
 */
#ifndef SENDCODE_WORKER_HEALTH_H
#define SENDCODE_WORKER_HEALTH_H

#include "common/base.h"
#include "common/log.h"

struct buf;

enum service {
    SERVICE_KAFKA_IN,
    SERVICE_KAFKA_OUT,
    SERVICE_CLAIMS,
    SERVICE_OUTCOMES,
    SERVICE_COUNT
};

struct health {
    struct {
        char why[256]; /* "" while it is there */
        struct log_gate gate;
    } of[SERVICE_COUNT];
};

/* All are "not reached yet" until the first report. */
void health_init(struct health *h);
void health_report(struct health *h, enum service s, const char *why); /* NULL: it is there */
void health_say(const struct health *h, struct buf *out); /* one sentence a lost service */

#endif

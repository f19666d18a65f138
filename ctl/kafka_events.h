/* Reads the events topic from a moment on, outside any consumer group. */
#ifndef SENDCODE_CTL_KAFKA_EVENTS_H
#define SENDCODE_CTL_KAFKA_EVENTS_H

#include "common/base.h"

struct ctl;
struct json;
struct kafka_events;
struct settings;

/* From now on. On failure says so and returns NULL with the exit code in *code. */
NODISCARD struct kafka_events *kafka_events_open(const struct ctl *c, const struct settings *s,
                                                 int *code);
void kafka_events_close(struct kafka_events *ev); /* NULL is fine */

/* The next event, or NULL when none came within timeout_ms. The caller frees it. */
NODISCARD struct json *kafka_events_next(struct kafka_events *ev, int timeout_ms);

#endif

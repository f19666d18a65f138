/* The worker's HTTP pages for operators: /metrics, /healthz, /readyz (CONTRACT.md section 7). */
#ifndef SENDCODE_WORKER_ADMIN_H
#define SENDCODE_WORKER_ADMIN_H

#include "common/base.h"

struct admin;
struct err;
struct health;
struct loop;
struct metrics;
struct pipeline;

/* All of them outlive it. */
NODISCARD struct admin *admin_new(struct loop *l, const char *listen, const struct metrics *metrics,
                                  const struct health *health, const struct pipeline *pipeline,
                                  struct err *e);
void admin_free(struct admin *a); /* NULL is fine */

#endif

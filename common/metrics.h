/*
 * Counters, gauges and histograms in Prometheus' text format 0.0.4. A family has at most one label.
 * Families and their cells live as long as the registry; a cell handle is cheap to use on the hot
 * path. A family is rendered (with # HELP and # TYPE) from its creation on, also without cells.
 */
#ifndef SENDCODE_COMMON_METRICS_H
#define SENDCODE_COMMON_METRICS_H

#include "common/base.h"

struct buf;
struct metrics;
struct metric_family;
struct metric_cell;

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);

/* label may be NULL (then the single cell is there at once, at 0). Texts must outlive the registry.
 */
struct metric_family *metrics_family(struct metrics *m, enum metric_type type, const char *name,
                                     const char *help, const char *label);

/* The cell for that label value (UTF-8, copied), made at 0 when new; NULL in a family without
 * label. */
struct metric_cell *metrics_cell(struct metric_family *f, const char *value);

/* Forgets a cell (a partition that is no longer ours); its handle is dead then. */
void metrics_drop(struct metric_family *f, const char *value);

void metric_add(struct metric_cell *c, double n); /* counter, gauge */
void metric_set(struct metric_cell *c, double v); /* gauge */
void metric_observe_us(struct metric_cell *c,
                       int64_t us); /* histogram in seconds; buckets 0.5 ms … 60 s */

void metrics_render(const struct metrics *m, struct buf *out);

#endif

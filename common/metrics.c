/* Families in a list, cells in a hash table each; a cell's handle is its address. */
#include "common/metrics.h"

#include <stdio.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#include "common/buf.h"
#include "common/mem.h"

/* Upper bounds of the histograms' buckets, and how Prometheus is told of them, in seconds. */
static const struct bucket {
    int64_t up_to_us;
    const char *le;
} buckets[] = {
    {500,      "0.0005"},
    {1000,     "0.001" },
    {2500,     "0.0025"},
    {5000,     "0.005" },
    {10000,    "0.01"  },
    {25000,    "0.025" },
    {50000,    "0.05"  },
    {100000,   "0.1"   },
    {250000,   "0.25"  },
    {500000,   "0.5"   },
    {1000000,  "1"     },
    {2500000,  "2.5"   },
    {5000000,  "5"     },
    {10000000, "10"    },
    {30000000, "30"    },
    {60000000, "60"    },
};

struct metric_cell {
    char *label_value;                      /* "" in a family without label */
    double value;                           /* counter, gauge */
    int64_t sum_us;                         /* histogram, so the rest */
    uint64_t count;                         /* of all observations */
    uint64_t in_bucket[ARRAY_LEN(buckets)]; /* not cumulative */
    UT_hash_handle hh;
};

struct metric_family {
    enum metric_type type;
    const char *name;
    const char *help;
    const char *label; /* NULL if none */
    struct metric_cell *cells;
    struct metric_family *prev, *next;
};

struct metrics {
    struct metric_family *families;
};

struct metrics *metrics_new(void)
{
    return mem_must_alloc(sizeof(struct metrics));
}

static void forget_cell(struct metric_family *f, struct metric_cell *c)
{
    HASH_DEL(f->cells, c);
    mem_free(c->label_value);
    mem_free(c);
}

void metrics_free(struct metrics *m)
{
    if (m == NULL) {
        return;
    }
    while (m->families != NULL) {
        struct metric_family *f = m->families;
        while (f->cells != NULL) {
            forget_cell(f, f->cells);
        }
        DL_DELETE(m->families, f);
        mem_free(f);
    }
    mem_free(m);
}

struct metric_family *metrics_family(struct metrics *m, enum metric_type type, const char *name,
                                     const char *help, const char *label)
{
    struct metric_family *f = mem_must_alloc(sizeof(*f));
    *f = (struct metric_family){.type = type, .name = name, .help = help, .label = label};
    DL_APPEND(m->families, f);
    if (label == NULL) {
        (void)metrics_cell(f, NULL);
    }
    return f;
}

struct metric_cell *metrics_cell(struct metric_family *f, const char *value)
{
    const char *key = value != NULL ? value : "";
    struct metric_cell *c = NULL;
    HASH_FIND_STR(f->cells, key, c);
    if (c == NULL) {
        c = mem_must_alloc(sizeof(*c));
        c->label_value = mem_must_strdup(key);
        HASH_ADD_KEYPTR(hh, f->cells, c->label_value, strlen(c->label_value), c);
    }
    return c;
}

void metrics_drop(struct metric_family *f, const char *value)
{
    struct metric_cell *c = NULL;
    HASH_FIND_STR(f->cells, value, c);
    if (c != NULL) {
        forget_cell(f, c);
    }
}

void metric_add(struct metric_cell *c, double n)
{
    c->value += n;
}

void metric_set(struct metric_cell *c, double v)
{
    c->value = v;
}

void metric_observe_us(struct metric_cell *c, int64_t us)
{
    c->count++;
    c->sum_us += us;
    for (size_t i = 0; i < ARRAY_LEN(buckets); i++) {
        if (us <= buckets[i].up_to_us) {
            c->in_bucket[i]++;
            return;
        }
    }
}

/* Escapes as the text format wants it: quotes only in label values. */
static void add_escaped(struct buf *out, const char *s, bool quotes)
{
    for (; *s != '\0'; s++) {
        if (*s == '\n') {
            buf_add_text(out, "\\n");
        } else if (*s == '\\' || (quotes && *s == '"')) {
            buf_add_char(out, '\\');
            buf_add_char(out, *s);
        } else {
            buf_add_char(out, *s);
        }
    }
}

/* name_suffix{label="value",le="0.5"}; le NULL for none. */
static void add_series(struct buf *out, const struct metric_family *f, const char *suffix,
                       const struct metric_cell *c, const char *le)
{
    buf_add_fmt(out, "%s%s", f->name, suffix);
    if (f->label != NULL || le != NULL) {
        buf_add_char(out, '{');
        if (f->label != NULL) {
            buf_add_fmt(out, "%s=\"", f->label);
            add_escaped(out, c->label_value, true);
            buf_add_text(out, le != NULL ? "\"," : "\"");
        }
        if (le != NULL) {
            buf_add_fmt(out, "le=\"%s\"", le);
        }
        buf_add_char(out, '}');
    }
    buf_add_char(out, ' ');
}

static void render_histogram(const struct metric_family *f, const struct metric_cell *c,
                             struct buf *out)
{
    uint64_t below = 0;
    for (size_t i = 0; i < ARRAY_LEN(buckets); i++) {
        below += c->in_bucket[i];
        add_series(out, f, "_bucket", c, buckets[i].le);
        buf_add_fmt(out, "%llu\n", (unsigned long long)below);
    }
    add_series(out, f, "_bucket", c, "+Inf");
    buf_add_fmt(out, "%llu\n", (unsigned long long)c->count);
    add_series(out, f, "_sum", c, NULL);
    buf_add_fmt(out, "%.6f\n", (double)c->sum_us / (double)US_PER_S);
    add_series(out, f, "_count", c, NULL);
    buf_add_fmt(out, "%llu\n", (unsigned long long)c->count);
}

void metrics_render(const struct metrics *m, struct buf *out)
{
    static const char *const types[] = {
        [METRIC_COUNTER] = "counter",
        [METRIC_GAUGE] = "gauge",
        [METRIC_HISTOGRAM] = "histogram",
    };
    const struct metric_family *f = NULL;
    DL_FOREACH(m->families, f)
    {
        buf_add_fmt(out, "# HELP %s ", f->name);
        add_escaped(out, f->help, false);
        buf_add_fmt(out, "\n# TYPE %s %s\n", f->name, types[f->type]);
        for (const struct metric_cell *c = f->cells; c != NULL; c = c->hh.next) {
            if (f->type == METRIC_HISTOGRAM) {
                render_histogram(f, c, out);
            } else {
                add_series(out, f, "", c, NULL);
                buf_add_fmt(out, "%.15g\n", c->value);
            }
        }
    }
}

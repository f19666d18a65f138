/* Comma-separated lists, turned around. */
#include "common/pg/pg_hosts.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

#define KEYWORD_(suffix, keyword, variable) [PG_LIST_##suffix] = (keyword),
#define VARIABLE_(suffix, keyword, variable) [PG_LIST_##suffix] = (variable),
static const char *const keywords[] = {PG_HOST_LISTS(KEYWORD_)};
static const char *const variables[] = {PG_HOST_LISTS(VARIABLE_)};
#undef KEYWORD_
#undef VARIABLE_

static size_t count(const char *list)
{
    size_t n = 1;
    for (; *list; list++)
        n += *list == ',';
    return n;
}

static const char *value_of(const PQconninfoOption *options, enum pg_host_list list)
{
    for (const PQconninfoOption *o = options; o && o->keyword; o++) {
        if (strcmp(o->keyword, keywords[list]) == 0 && o->val && o->val[0])
            return o->val;
    }
    return getenv(variables[list]);
}

void pg_hosts_init(struct pg_hosts *h, const char *dsn)
{
    PQconninfoOption *options = PQconninfoParse(dsn, NULL);

    *h = (struct pg_hosts){.n = 1};
    for (enum pg_host_list list = 0; list < PG_LIST_COUNT; list++) {
        const char *value = value_of(options, list);
        if (!value || !value[0])
            continue;
        h->lists[list] = mem_must_strdup(value);
        /* A port alone is for all hosts, however many ports there are. */
        if (list != PG_LIST_PORT)
            h->n = MAX(h->n, count(value));
    }
    PQconninfoFree(options);
}

void pg_hosts_free(struct pg_hosts *h)
{
    for (enum pg_host_list list = 0; list < PG_LIST_COUNT; list++)
        mem_free(h->lists[list]);
}

static void add_entry(const char *list, size_t i, struct buf *out)
{
    for (; i > 0; i--)
        list = strchr(list, ',') + 1;
    buf_add(out, list, strcspn(list, ","));
}

void pg_hosts_rotate(const struct pg_hosts *h, enum pg_host_list list, size_t first,
                     struct buf *out)
{
    const char *entries = h->lists[list];

    buf_clear(out);
    if (!entries || h->n == 1 || count(entries) != h->n)
        return;
    for (size_t i = 0; i < h->n; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        add_entry(entries, (first + i) % h->n, out);
    }
}

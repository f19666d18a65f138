/* One count for each pair of action and code; both are few, as the sandbox makes them. */
#include "sandbox/stats.h"

#include <stdio.h>
#include <string.h>
#include <uthash.h>

#include "common/buf.h"
#include "common/mem.h"
#include "sandbox/json_out.h"

struct stat_count {
    char name[160]; /* key: action, space, code */
    int64_t n;
    UT_hash_handle hh;
};

void stats_count(struct stats *s, const char *action, const char *code)
{
    struct stat_count *c;
    char name[sizeof c->name];
    snprintf(name, sizeof name, "%s %s", action, code);
    HASH_FIND_STR(s->counts, name, c);
    if (!c) {
        c = mem_must_alloc(sizeof *c);
        memcpy(c->name, name, sizeof name);
        HASH_ADD_STR(s->counts, name, c);
    }
    c->n++;
}

static int by_name(const struct stat_count *a, const struct stat_count *b)
{
    return strcmp(a->name, b->name);
}

void stats_add_json(struct stats *s, struct buf *out)
{
    size_t open_len = 0; /* of the action whose codes are being added */
    const char *open = "";
    HASH_SORT(s->counts, by_name);
    buf_add_char(out, '{');
    for (const struct stat_count *c = s->counts; c; c = c->hh.next) {
        size_t len = strcspn(c->name, " ");
        if (open_len == len && memcmp(open, c->name, len) == 0) {
            buf_add_char(out, ',');
        } else {
            buf_add_text(out, open_len ? "},\"" : "\"");
            buf_add(out, c->name, len);
            buf_add_text(out, "\":{");
        }
        open = c->name;
        open_len = len;
        json_out_int(out, c->name + len + 1, c->n);
    }
    buf_add_text(out, open_len ? "}}" : "}");
}

void stats_clear(struct stats *s)
{
    struct stat_count *c;
    struct stat_count *next;
    HASH_ITER(hh, s->counts, c, next)
    {
        HASH_DEL(s->counts, c);
        mem_free(c);
    }
}

/* SIGHUP: takes over what may change while running and names what may not. */
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/settings/settings.h"
#include "common/settings/settings_load.h"
#include "common/settings/settings_table.h"

static void note_ignored(struct buf *ignored, const char *section, const char *key)
{
    buf_add_fmt(ignored, "[%s] %s: changed; takes effect after a restart\n", section, key);
}

/* The field of `to` becomes that of `from`; their texts say whether it differed. */
static bool take_over(const struct setting *row, const struct settings *from, struct settings *to)
{
    char expected[SETTING_EXPECTED_SIZE];
    struct buf old = BUF_INIT, new = BUF_INIT;
    row->type->write(row, from, &old);
    row->type->write(row, to, &new);
    bool differs = strcmp(buf_text(&old), buf_text(&new)) != 0;
    if (differs && old.len == 0)
        row->type->clear(row, to);
    else if (differs && !row->type->read(row, to, buf_text(&old), expected))
        panic("the running value of %s is not %s", row->key, expected);
    buf_free(&old);
    buf_free(&new);
    return differs;
}

static void note_changed_properties(const struct settings *now, const struct settings *next,
                                    struct buf *ignored)
{
    for (size_t i = 0; i < now->n_kafka; i++) {
        const char *value = settings_kafka(next, now->kafka[i].name);
        if (value == NULL || strcmp(value, now->kafka[i].value) != 0)
            note_ignored(ignored, "kafka", now->kafka[i].name);
    }
    for (size_t i = 0; i < next->n_kafka; i++)
        if (settings_kafka(now, next->kafka[i].name) == NULL)
            note_ignored(ignored, "kafka", next->kafka[i].name);
}

static void copy_properties(const struct settings *from, struct settings *to)
{
    settings_free_kafka(to);
    to->n_kafka = from->n_kafka;
    to->kafka = mem_must_alloc((from->n_kafka + 1) * sizeof(*to->kafka));
    for (size_t i = 0; i < from->n_kafka; i++) {
        to->kafka[i].name = mem_must_strdup(from->kafka[i].name);
        to->kafka[i].value = mem_must_strdup(from->kafka[i].value);
        to->kafka[i].origin = mem_must_strdup(from->kafka[i].origin);
        to->kafka[i].from_environment = from->kafka[i].from_environment;
    }
}

struct settings *settings_reload(const struct settings *now, struct settings *next,
                                 struct buf *ignored)
{
    note_changed_properties(now, next, ignored);
    copy_properties(now, next);
    for (size_t i = 0; i < settings_table_size; i++) {
        const struct setting *row = &settings_table[i];
        if (!row->reloads && take_over(row, now, next))
            note_ignored(ignored, row->section, row->key);
    }
    return next;
}

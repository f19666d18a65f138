/* --dump-config: every value that holds, with where it comes from; a configuration file by itself.
 */
#include <string.h>

#include "common/buf.h"
#include "common/settings/settings.h"
#include "common/settings/settings_check.h"
#include "common/settings/settings_doc.h"
#include "common/settings/settings_table.h"

/* True when the document has the key: then its place is written. */
static bool add_origin(const struct settings *s, const char *section, const char *key,
                       struct buf *out)
{
    const struct doc_entry *entry = settings_doc_entry(settings_doc_section(s->doc, section), key);
    if (entry == NULL)
        return false;
    buf_add_fmt(out, "# %s:%d\n", s->doc->path, entry->line);
    return true;
}

static void dump_value(const struct setting *row, const void *base, struct buf *out)
{
    struct buf value = BUF_INIT;
    row->type->write(row, base, &value);
    buf_add_fmt(out, "%s%s = %s\n", value.len > 0 ? "" : ";", row->key, buf_text(&value));
    buf_free(&value);
}

static void dump_plain(const struct settings *s, struct buf *out)
{
    const char *section = "";
    for (size_t i = 0; i < settings_table_size; i++) {
        const struct setting *row = &settings_table[i];
        if (strcmp(row->section, "scene") == 0)
            continue;
        if (strcmp(row->section, section) != 0) {
            section = row->section;
            buf_add_fmt(out, "\n[%s]\n", section);
        }
        if (!add_origin(s, section, row->key, out))
            buf_add_text(out, "# default\n");
        dump_value(row, s, out);
    }
}

static void dump_scene(const struct settings *s, const struct scene *scene, struct buf *out)
{
    struct buf base = BUF_INIT, own = BUF_INIT;
    buf_add_fmt(&base, "scene %s", scene->name);
    buf_add_text(&own, buf_text(&base));
    if (scene->locale != NULL)
        buf_add_fmt(&own, " %s", scene->locale);
    buf_add_fmt(out, "\n[%s]\n", buf_text(&own));
    for (size_t i = 0; i < settings_table_size; i++) {
        const struct setting *row = &settings_table[i];
        if (strcmp(row->section, "scene") != 0)
            continue;
        if (!add_origin(s, buf_text(&own), row->key, out) &&
            !add_origin(s, buf_text(&base), row->key, out) &&
            !add_origin(s, "tencent", row->key, out))
            buf_add_text(out, "# default\n");
        dump_value(row, scene, out);
    }
    buf_free(&base);
    buf_free(&own);
}

static void dump_kafka(const struct settings *s, struct buf *out)
{
    buf_add_text(out, "[kafka]\n");
    for (size_t i = 0; i < s->n_kafka; i++) {
        const struct property *p = &s->kafka[i];
        if (p->from_environment)
            buf_add_text(out, "# environment\n");
        else
            add_origin(s, "kafka", p->name, out);
        if (check_is_secret_property(p->name))
            buf_add_fmt(out, "# %s = ***\n", p->name);
        else
            buf_add_fmt(out, "%s = %s\n", p->name, p->value);
    }
}

static void dump_secret(const char *name, bool is_set, struct buf *out)
{
    if (is_set)
        buf_add_fmt(out, "# %s = ***\n", name);
}

void settings_dump(const struct settings *s, struct buf *out)
{
    dump_kafka(s, out);
    dump_plain(s, out);
    for (size_t i = 0; i < s->n_scenes; i++)
        dump_scene(s, &s->scenes[i], out);
    buf_add_text(out, "\n# Secrets from the environment:\n");
    dump_secret("TENCENT_SECRET_ID", s->secrets.tencent_secret_id != NULL, out);
    dump_secret("TENCENT_SECRET_KEY", s->secrets.tencent_secret_key != NULL, out);
    dump_secret("TENCENT_TOKEN", s->secrets.tencent_token != NULL, out);
    dump_secret("SENDCODE_CODE_KEY", s->secrets.code.n > 0, out);
    dump_secret("SENDCODE_VERIFY_KEY", s->secrets.verify.n > 0, out);
    dump_secret("SENDCODE_RECEIPT_PATH", s->secrets.receipt_path != NULL, out);
}

/* Resolves [scene NAME] and [scene NAME LOCALE]: own value, else the scene's, else [tencent]'s,
 * else preset. */
#include <string.h>
#include <strings.h>
#include <utlist.h>

#include "common/mem.h"
#include "common/settings/settings.h"
#include "common/settings/settings_check.h"
#include "common/settings/settings_doc.h"
#include "common/settings/settings_load.h"
#include "common/settings/settings_table.h"

static void clear_scene(struct scene *scene)
{
    for (size_t i = 0; i < settings_table_size; i++)
        if (strcmp(settings_table[i].section, "scene") == 0)
            settings_table[i].type->clear(&settings_table[i], scene);
    mem_free(scene->name);
    mem_free(scene->locale);
}

void settings_free_scenes(struct settings *s)
{
    for (size_t i = 0; i < s->n_scenes; i++)
        clear_scene(&s->scenes[i]);
    mem_free(s->scenes);
}

static bool is_scene_section(const struct doc_section *section)
{
    return strncmp(section->name, "scene ", 6) == 0;
}

/* Where the locale begins in "scene NAME LOCALE", NULL if there is none. */
static const char *locale_of(const struct doc_section *section)
{
    const char *space = strchr(section->name + 6, ' ');
    return space != NULL ? space + 1 : NULL;
}

static size_t name_length(const struct doc_section *section)
{
    return strcspn(section->name + 6, " ");
}

/* [scene NAME] for a section with a locale; NULL if there is none. */
static const struct doc_section *base_of(const struct settings *s,
                                         const struct doc_section *section)
{
    size_t len = 6 + name_length(section);
    const struct doc_section *other;
    DL_FOREACH(s->doc->sections, other)
    {
        if (strlen(other->name) == len && strncmp(other->name, section->name, len) == 0)
            return other;
    }
    return NULL;
}

static bool locale_repeats(const struct settings *s, const struct doc_section *section)
{
    const struct doc_section *other;
    DL_FOREACH(s->doc->sections, other)
    {
        if (other == section)
            return false;
        if (strcasecmp(other->name, section->name) == 0 && strcmp(other->name, section->name) != 0)
            return true;
    }
    return false;
}

static bool judge_name(const struct settings *s, const struct doc_section *section)
{
    const struct settings_doc *d = s->doc;
    const char *locale = locale_of(section);
    if (!check_is_scene_name(section->name + 6, name_length(section))) {
        settings_fault(d, section->line, section->name, NULL,
                       "expected a scene's name of 1 to 32 of a-z 0-9 . _ -");
        return false;
    }
    if (locale == NULL)
        return true;
    if (!check_is_locale(locale, strlen(locale)))
        settings_fault(d, section->line, section->name, NULL,
                       "expected a locale of 1 to 35 of A-Z a-z 0-9 - behind the scene's name");
    else if (base_of(s, section) == NULL)
        settings_fault(d, section->line, section->name, NULL,
                       "expected a section [scene %.*s] to inherit from", (int)name_length(section),
                       section->name + 6);
    else if (locale_repeats(s, section))
        settings_fault(d, section->line, section->name, NULL,
                       "expected each locale once, whatever its case");
    else
        return true;
    return false;
}

/* What holds where neither section says anything; NULL: nothing. */
static const char *fallback(const struct settings *s, const struct setting *row)
{
    if (strcmp(row->key, "sign_name") == 0)
        return s->tencent.sign_name;
    if (strcmp(row->key, "sdk_app_id") == 0)
        return s->tencent.sdk_app_id;
    return row->preset;
}

/* Values that do not read have been reported already; the scene then goes without. */
static void resolve(const struct settings *s, const struct doc_section *section,
                    struct scene *scene)
{
    char ignored[SETTING_EXPECTED_SIZE];
    for (size_t i = 0; i < settings_table_size; i++) {
        const struct setting *row = &settings_table[i];
        if (strcmp(row->section, "scene") != 0)
            continue;
        const struct doc_entry *entry = settings_doc_entry(section, row->key);
        if (entry == NULL)
            entry = settings_doc_entry(base_of(s, section), row->key);
        const char *value = entry != NULL ? entry->value : fallback(s, row);
        if (value != NULL && !row->type->read(row, scene, value, ignored))
            row->type->clear(row, scene);
    }
}

void settings_read_scenes(struct settings *s)
{
    const struct doc_section *section;
    size_t n = 0;
    DL_FOREACH(s->doc->sections, section)
    {
        n += is_scene_section(section);
    }
    s->scenes = mem_must_alloc((n + 1) * sizeof(*s->scenes));
    DL_FOREACH(s->doc->sections, section)
    {
        if (!is_scene_section(section))
            continue;
        struct scene judged = {0};
        settings_read_section(s, section, "scene", &judged);
        clear_scene(&judged);
        if (!judge_name(s, section))
            continue;
        struct scene *scene = &s->scenes[s->n_scenes++];
        const char *locale = locale_of(section);
        scene->name = mem_must_alloc(name_length(section) + 1);
        memcpy(scene->name, section->name + 6, name_length(section));
        scene->locale = locale != NULL ? mem_must_strdup(locale) : NULL;
        resolve(s, section, scene);
    }
}

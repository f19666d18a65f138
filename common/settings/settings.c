/* Loads the settings: file, presets, scenes, secrets, and what is missing; looks them up; frees
 * them. */
#include "common/settings/settings.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <utlist.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/settings/settings_check.h"
#include "common/settings/settings_doc.h"
#include "common/settings/settings_load.h"
#include "common/settings/settings_table.h"

static const char *const plain_sections[] = {"topics",   "postgres", "tencent",  "worker",
                                             "receiver", "limits",   "retention"};

/* The keys of a section, for whoever wrote another one. */
static void fault_unknown_key(const struct settings *s, const struct doc_section *section,
                              const struct doc_entry *entry, const char *table_section)
{
    struct buf keys = BUF_INIT;
    if (strcmp(entry->key, "account") == 0 && strcmp(table_section, "scene") == 0) {
        settings_fault(s->doc, entry->line, section->name, entry->key,
                       "the key is reserved for several accounts; expected it to be left out");
        return;
    }
    if (check_is_secret_property(entry->key) || strstr(entry->key, "token") != NULL) {
        settings_fault(s->doc, entry->line, section->name, entry->key,
                       "expected no secret here: secrets come from the environment");
        return;
    }
    for (size_t i = 0; i < settings_table_size; i++)
        if (strcmp(settings_table[i].section, table_section) == 0)
            buf_add_fmt(&keys, "%s%s", keys.len > 0 ? ", " : "", settings_table[i].key);
    settings_fault(s->doc, entry->line, section->name, entry->key,
                   "unknown key; expected one of %s", buf_text(&keys));
    buf_free(&keys);
}

void settings_read_section(const struct settings *s, const struct doc_section *section,
                           const char *table_section, void *base)
{
    char expected[SETTING_EXPECTED_SIZE];
    const struct doc_entry *entry;
    if (section == NULL)
        return;
    DL_FOREACH(section->entries, entry)
    {
        const struct setting *row = settings_table_find(table_section, entry->key);
        if (row == NULL)
            fault_unknown_key(s, section, entry, table_section);
        else if (!row->type->read(row, base, entry->value, expected))
            settings_fault(s->doc, entry->line, section->name, entry->key, "expected %s", expected);
    }
}

static void read_presets(struct settings *s)
{
    char expected[SETTING_EXPECTED_SIZE];
    for (size_t i = 0; i < settings_table_size; i++) {
        const struct setting *row = &settings_table[i];
        if (strcmp(row->section, "scene") == 0 || row->preset == NULL)
            continue;
        if (!row->type->read(row, s, row->preset, expected))
            panic("the default of %s is not %s", row->key, expected);
    }
}

static void judge_section_name(const struct settings *s, const struct doc_section *section)
{
    const char *name = section->name;
    if (strcmp(name, "kafka") == 0 || strncmp(name, "scene ", 6) == 0)
        return;
    for (size_t i = 0; i < ARRAY_LEN(plain_sections); i++)
        if (strcmp(name, plain_sections[i]) == 0)
            return;
    if (strncmp(name, "tencent ", 8) == 0)
        settings_fault(s->doc, section->line, name, NULL,
                       "the section is reserved for several accounts; expected [tencent]");
    else
        settings_fault(s->doc, section->line, name, NULL,
                       "unknown section; expected kafka, topics, postgres, tencent, worker, "
                       "receiver, limits, retention, scene NAME or scene NAME LOCALE");
}

static void check_topic_differs(const struct settings *s, const char *key, const char *topic,
                                const char *other)
{
    const struct doc_section *section = settings_doc_section(s->doc, "topics");
    const struct doc_entry *entry = settings_doc_entry(section, key);
    if (strcmp(topic, other) == 0)
        settings_fault(s->doc, entry != NULL ? entry->line : 0, "topics", key,
                       "expected jobs, events and dead to be three different topics");
}

static void check_topics(const struct settings *s)
{
    check_topic_differs(s, "events", s->topics.events, s->topics.jobs);
    check_topic_differs(s, "dead", s->topics.dead, s->topics.jobs);
    check_topic_differs(s, "dead", s->topics.dead, s->topics.events);
}

static void name_worker(struct settings *s)
{
    char host[64] = "";
    char name[96];
    if (s->worker.name != NULL)
        return;
    if (gethostname(host, sizeof(host) - 1) != 0 || check_worker_name(host) != NULL)
        snprintf(host, sizeof(host), "worker");
    snprintf(name, sizeof(name), "%.50s-%ld", host, (long)getpid());
    s->worker.name = mem_must_strdup(name);
}

struct settings *settings_load_checked(const char *path, unsigned needs, settings_check_fn *check,
                                       struct buf *faults)
{
    size_t faults_before = faults->len;
    struct settings *s = mem_must_alloc(sizeof(*s));
    struct doc_section *section;
    s->doc = settings_doc_read(path, faults);

    read_presets(s);
    DL_FOREACH(s->doc->sections, section)
    {
        judge_section_name(s, section);
    }
    for (size_t i = 0; i < ARRAY_LEN(plain_sections); i++)
        settings_read_section(s, settings_doc_section(s->doc, plain_sections[i]), plain_sections[i],
                              s);
    check_topics(s);
    name_worker(s);
    settings_read_kafka(s, (needs & SETTINGS_NEED_KAFKA) != 0);
    settings_read_scenes(s);
    settings_read_secrets(s, needs);
    settings_check_needs(s, needs);
    if (check)
        check(s, faults);
    s->doc->faults = NULL;
    if (faults->len == faults_before && !faults->failed)
        return s;
    settings_free(s);
    return NULL;
}

struct settings *settings_load(const char *path, unsigned needs, struct buf *faults)
{
    return settings_load_checked(path, needs, NULL, faults);
}

const struct scene *settings_scene(const struct settings *s, const char *name, const char *locale)
{
    const struct scene *own = NULL, *language = NULL;
    size_t language_len = locale != NULL ? strcspn(locale, "-") : 0;
    for (size_t i = 0; i < s->n_scenes; i++) {
        const struct scene *scene = &s->scenes[i];
        if (strcmp(scene->name, name) != 0)
            continue;
        if (scene->locale == NULL)
            own = scene;
        else if (locale != NULL && strcasecmp(scene->locale, locale) == 0)
            return scene;
        else if (locale != NULL && strlen(scene->locale) == language_len &&
                 strncasecmp(scene->locale, locale, language_len) == 0)
            language = scene;
    }
    return language != NULL ? language : own;
}

const char *settings_kafka(const struct settings *s, const char *property)
{
    for (size_t i = 0; i < s->n_kafka; i++)
        if (strcmp(s->kafka[i].name, property) == 0)
            return s->kafka[i].value;
    return NULL;
}

void settings_free(struct settings *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < settings_table_size; i++)
        if (strcmp(settings_table[i].section, "scene") != 0)
            settings_table[i].type->clear(&settings_table[i], s);
    settings_free_scenes(s);
    settings_free_kafka(s);
    settings_doc_free(s->doc);
    mem_free_secret(s->secrets.tencent_secret_id);
    mem_free_secret(s->secrets.tencent_secret_key);
    mem_free_secret(s->secrets.tencent_token);
    mem_free_secret(s->secrets.receipt_path);
    mem_wipe(s, sizeof(*s));
    mem_free(s);
}

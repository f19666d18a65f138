/* Reads a configuration file into a document, and words the faults of whoever judges it. */
#include "common/settings/settings_doc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/settings/ini.h"
#include "common/settings/settings_file.h"

static const char *file_name(const struct settings_doc *d)
{
    return d->path != NULL ? d->path : "configuration";
}

PRINTF_LIKE(2, 0)
static void add_sentence(struct buf *out, const char *fmt, va_list args)
{
    char text[400];
    vsnprintf(text, sizeof(text), fmt, args);
    buf_add_text(out, text);
    buf_add_char(out, '\n');
}

static void add_origin(const struct settings_doc *d, int line, const char *section, const char *key,
                       struct buf *out)
{
    buf_add_text(out, file_name(d));
    if (line > 0)
        buf_add_fmt(out, ":%d", line);
    buf_add_fmt(out, ": [%.80s]", section);
    if (key != NULL)
        buf_add_fmt(out, " %.80s", key);
}

char *settings_doc_origin(const struct settings_doc *d, int line, const char *section,
                          const char *key)
{
    struct buf origin = BUF_INIT;
    add_origin(d, line, section, key, &origin);
    char *text = mem_must_strdup(buf_text(&origin));
    buf_free(&origin);
    return text;
}

char *settings_env_origin(const char *name)
{
    char text[200];
    snprintf(text, sizeof(text), "environment: %.100s", name);
    return mem_must_strdup(text);
}

void settings_fault(const struct settings_doc *d, int line, const char *section, const char *key,
                    const char *fmt, ...)
{
    va_list args;
    add_origin(d, line, section, key, d->faults);
    buf_add_text(d->faults, key != NULL ? ": " : " ");
    va_start(args, fmt);
    add_sentence(d->faults, fmt, args);
    va_end(args);
}

void settings_env_fault(const struct settings_doc *d, const char *name, const char *fmt, ...)
{
    va_list args;
    buf_add_fmt(d->faults, "environment: %.100s: ", name);
    va_start(args, fmt);
    add_sentence(d->faults, fmt, args);
    va_end(args);
}

const struct doc_section *settings_doc_section(const struct settings_doc *d, const char *name)
{
    struct doc_section *s;
    DL_FOREACH(d->sections, s)
    {
        if (strcmp(s->name, name) == 0)
            return s;
    }
    return NULL;
}

const struct doc_entry *settings_doc_entry(const struct doc_section *s, const char *key)
{
    struct doc_entry *entry;
    if (s == NULL)
        return NULL;
    DL_FOREACH(s->entries, entry)
    {
        if (strcmp(entry->key, key) == 0)
            return entry;
    }
    return NULL;
}

static void on_section(struct settings_doc *d, int line, const char *name)
{
    const struct doc_section *first = settings_doc_section(d, name);
    if (first != NULL)
        settings_fault(d, line, name, NULL, "expected each section once; it began at line %d",
                       first->line);
    struct doc_section *s = mem_must_alloc(sizeof(*s));
    s->name = mem_must_strdup(name);
    s->line = line;
    DL_APPEND(d->sections, s);
}

static void on_key(struct settings_doc *d, int line, const char *key, const char *value)
{
    if (d->sections == NULL) {
        buf_add_fmt(d->faults, "%s:%d: %.80s: expected a [section] before the first key\n",
                    file_name(d), line, key);
        return;
    }
    struct doc_section *s = d->sections->prev; /* the last one */
    const struct doc_entry *first = settings_doc_entry(s, key);
    if (first != NULL) {
        settings_fault(d, line, s->name, key, "expected each key once; it stands at line %d",
                       first->line);
        return;
    }
    struct doc_entry *entry = mem_must_alloc(sizeof(*entry));
    entry->key = mem_must_strdup(key);
    entry->value = mem_must_strdup(value);
    entry->line = line;
    DL_APPEND(s->entries, entry);
}

static void on_line(void *arg, int line, const char *section, const char *key, const char *value)
{
    if (key == NULL)
        on_section(arg, line, section);
    else
        on_key(arg, line, key, value);
}

static void on_fault(void *arg, int line, const char *expected)
{
    struct settings_doc *d = arg;
    buf_add_fmt(d->faults, "%s:%d: %s\n", file_name(d), line, expected);
}

struct settings_doc *settings_doc_read(const char *path, struct buf *faults)
{
    struct settings_doc *d = mem_must_alloc(sizeof(*d));
    d->faults = faults;
    if (path == NULL)
        return d;
    d->path = mem_must_strdup(path);

    struct buf text = {.max = DOC_FILE_MAX};
    int failure = settings_file_read(path, &text);
    if (failure != 0)
        buf_add_fmt(faults, "%s: expected a readable file of at most 1 MiB: %s\n", path,
                    strerror(failure));
    else
        ini_parse(buf_text(&text), text.len, on_line, on_fault, d);
    buf_wipe(&text);
    return d;
}

static void free_section(struct doc_section *s)
{
    struct doc_entry *entry, *next;
    DL_FOREACH_SAFE(s->entries, entry, next)
    {
        mem_wipe(entry->value, strlen(entry->value)); /* a refused secret may have stood there */
        mem_free(entry->key);
        mem_free(entry->value);
        mem_free(entry);
    }
    mem_free(s->name);
    mem_free(s);
}

void settings_doc_free(struct settings_doc *d)
{
    struct doc_section *s, *next;
    if (d == NULL)
        return;
    DL_FOREACH_SAFE(d->sections, s, next)
    {
        free_section(s);
    }
    mem_free(d->path);
    mem_free(d);
}

/*
 * A configuration file as it was read: sections and keys with their lines, before anything is known
 * of their meaning. Kept with the settings, for the origin of each value. And the list of faults.
 */
#ifndef SENDCODE_COMMON_SETTINGS_SETTINGS_DOC_H
#define SENDCODE_COMMON_SETTINGS_SETTINGS_DOC_H

#include "common/base.h"

struct buf;

#define DOC_FILE_MAX (1024 * 1024)

struct doc_entry {
    char *key;
    char *value;
    int line;
    struct doc_entry *prev, *next; /* utlist */
};

struct doc_section {
    char *name; /* words with one space between them: "scene login zh-CN" */
    int line;
    struct doc_entry *entries;
    struct doc_section *prev, *next;
};

struct settings_doc {
    char *path; /* NULL: no file */
    struct doc_section *sections;
    struct buf *faults; /* the caller's, while loading */
};

/* Reads path (NULL: an empty document). Faults go to `faults`, one a line; never NULL. */
NODISCARD struct settings_doc *settings_doc_read(const char *path, struct buf *faults);
void settings_doc_free(struct settings_doc *d);

const struct doc_section *settings_doc_section(const struct settings_doc *d, const char *name);
const struct doc_entry *settings_doc_entry(const struct doc_section *s, const char *key);

/* "FILE:LINE: [section] key: expected". line 0 and key NULL are left out. */
PRINTF_LIKE(5, 6)
void settings_fault(const struct settings_doc *d, int line, const char *section, const char *key,
                    const char *fmt, ...);

/* "environment: NAME: expected" */
PRINTF_LIKE(3, 4)
void settings_env_fault(const struct settings_doc *d, const char *name, const char *fmt, ...);

/* What the two begin with, for faults that are worded elsewhere. The caller frees it. */
NODISCARD char *settings_doc_origin(const struct settings_doc *d, int line, const char *section,
                                    const char *key);
NODISCARD char *settings_env_origin(const char *name);

#endif

/*
 * The typed table of all keys but librdkafka's. A key's name, type, bounds, default, reloadability
 * and documentation stand there and nowhere else; a new key is one row (and its field in
 * settings.h).
 */
#ifndef SENDCODE_COMMON_SETTINGS_SETTINGS_TABLE_H
#define SENDCODE_COMMON_SETTINGS_SETTINGS_TABLE_H

#include "common/base.h"

struct buf;
struct setting;

#define SETTING_EXPECTED_SIZE 256

/* How values of a kind are read from and written to text. base: the struct that holds the field. */
struct setting_type {
    /* False leaves the field as it was and says in `expected` what was expected. */
    bool (*read)(const struct setting *s, void *base, const char *value,
                 char expected[SETTING_EXPECTED_SIZE]);
    void (*write)(const struct setting *s, const void *base, struct buf *out); /* "" when not set */
    void (*clear)(const struct setting *s, void *base);
};

struct setting {
    const char *section; /* "scene" stands for every [scene NAME] and [scene NAME LOCALE] */
    const char *key;
    const struct setting_type *type;
    size_t offset;        /* in struct scene for section "scene", else in struct settings */
    int64_t lo, hi;       /* of a number */
    const char *yes, *no; /* the two words of a bool */
    const char *(*check)(const char *value); /* of a text: NULL, or what was expected */
    const char *preset;                      /* the default; NULL: none */
    bool reloads;                            /* may change on SIGHUP */
    const char *example;                     /* the sample file sets it; NULL: shows the default */
    const char *doc;
};

extern const struct setting_type setting_type_text, setting_type_int, setting_type_params,
    setting_type_countries, setting_type_bool;

extern const struct setting settings_table[];
extern const size_t settings_table_size;

/* A section's heading and text in the sample file, in its order. */
struct section_doc {
    const char *name;   /* of the rows in the table */
    const char *header; /* in the sample */
    const char *doc;
    const char *lines; /* verbatim in the sample, behind the section's keys; may be NULL */
};
extern const struct section_doc settings_sections[];
extern const size_t settings_sections_size;

const struct setting *settings_table_find(const char *section, const char *key); /* NULL: none */

#endif

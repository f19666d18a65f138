/* The kinds of values in the table: how each is read, written and cleared. */
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/domain/phone.h"
#include "common/mem.h"
#include "common/settings/settings.h"
#include "common/settings/settings_table.h"
#include "common/text.h"

#define LITERAL_MAX 12 /* characters that Tencent takes for one parameter of a code template */

static void *field_of(const struct setting *s, void *base)
{
    return (char *)base + s->offset;
}

static const void *field_of_const(const struct setting *s, const void *base)
{
    return (const char *)base + s->offset;
}

static bool fail(char expected[SETTING_EXPECTED_SIZE], const char *text)
{
    snprintf(expected, SETTING_EXPECTED_SIZE, "%s", text);
    return false;
}

static bool read_text(const struct setting *s, void *base, const char *value,
                      char expected[SETTING_EXPECTED_SIZE])
{
    char **field = field_of(s, base);
    const char *wish = s->check(value);
    if (wish != NULL)
        return fail(expected, wish);
    mem_free(*field);
    *field = mem_must_strdup(value);
    return true;
}

static void write_text(const struct setting *s, const void *base, struct buf *out)
{
    char *const *field = field_of_const(s, base);
    if (*field != NULL)
        buf_add_text(out, *field);
}

static void clear_text(const struct setting *s, void *base)
{
    char **field = field_of(s, base);
    mem_free(*field);
    *field = NULL;
}

static bool read_int(const struct setting *s, void *base, const char *value,
                     char expected[SETTING_EXPECTED_SIZE])
{
    if (text_to_int(value, s->lo, s->hi, field_of(s, base)))
        return true;
    snprintf(expected, SETTING_EXPECTED_SIZE, "a whole number from %lld to %lld", (long long)s->lo,
             (long long)s->hi);
    return false;
}

static void write_int(const struct setting *s, const void *base, struct buf *out)
{
    const int64_t *field = field_of_const(s, base);
    buf_add_fmt(out, "%lld", (long long)*field);
}

static void clear_int(const struct setting *s, void *base)
{
    int64_t *field = field_of(s, base);
    *field = 0;
}

static bool read_bool(const struct setting *s, void *base, const char *value,
                      char expected[SETTING_EXPECTED_SIZE])
{
    bool *field = field_of(s, base);
    bool yes = strcmp(value, s->yes) == 0;
    if (!yes && strcmp(value, s->no) != 0) {
        snprintf(expected, SETTING_EXPECTED_SIZE, "%s or %s", s->yes, s->no);
        return false;
    }
    *field = yes;
    return true;
}

static void write_bool(const struct setting *s, const void *base, struct buf *out)
{
    const bool *field = field_of_const(s, base);
    buf_add_text(out, *field ? s->yes : s->no);
}

static void clear_bool(const struct setting *s, void *base)
{
    bool *field = field_of(s, base);
    *field = false;
}

static void free_items(char **items, size_t n)
{
    for (size_t i = 0; i < n; i++)
        mem_free(items[i]);
}

static void write_items(char *const *items, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        buf_add_text(out, items[i]);
    }
}

/* What stands between commas, without the spaces around. False when there are more than max. */
static bool split_items(const char *value, char **items, size_t max, size_t *n)
{
    *n = 0;
    for (;;) {
        size_t len = strcspn(value, ",");
        size_t start = strspn(value, " \t");
        size_t end = len;
        while (end > start && (value[end - 1] == ' ' || value[end - 1] == '\t'))
            end--;
        if (*n == max) {
            free_items(items, *n);
            return false;
        }
        start = MIN(start, end);
        items[*n] = mem_must_alloc(end - start + 1);
        memcpy(items[(*n)++], value + start, end - start);
        if (value[len] == '\0')
            return true;
        value += len + 1;
    }
}

static bool is_param(const char *item)
{
    if (strcmp(item, "{code}") == 0 || strcmp(item, "{minutes}") == 0)
        return true;
    size_t n = text_utf8_length(item);
    return n >= 1 && n <= LITERAL_MAX && strpbrk(item, "{}") == NULL;
}

static bool are_params(char *const *items, size_t n)
{
    bool code = false;
    for (size_t i = 0; i < n; i++) {
        if (!is_param(items[i]))
            return false;
        code = code || strcmp(items[i], "{code}") == 0;
    }
    return code;
}

static void clear_params(const struct setting *s, void *base)
{
    struct scene *scene = base;
    (void)s;
    free_items(scene->template_params, scene->n_template_params);
    scene->n_template_params = 0;
}

static bool read_params(const struct setting *s, void *base, const char *value,
                        char expected[SETTING_EXPECTED_SIZE])
{
    struct scene *scene = base;
    char *items[SCENE_PARAMS_MAX];
    size_t n;
    if (!split_items(value, items, SCENE_PARAMS_MAX, &n))
        return fail(expected, "at most 10 parameters");
    if (!are_params(items, n)) {
        free_items(items, n);
        return fail(expected, "{code} and, with commas between, {minutes} or texts of 1 to 12 "
                              "characters");
    }
    clear_params(s, base);
    memcpy(scene->template_params, items, n * sizeof(items[0]));
    scene->n_template_params = n;
    return true;
}

static void write_params(const struct setting *s, const void *base, struct buf *out)
{
    const struct scene *scene = base;
    (void)s;
    write_items(scene->template_params, scene->n_template_params, out);
}

static bool are_countries(char *const *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!phone_is_country_code(items[i]))
            return false;
        for (size_t k = 0; k < i; k++)
            if (strcmp(items[i], items[k]) == 0)
                return false;
    }
    return true;
}

static void clear_countries(const struct setting *s, void *base)
{
    struct scene *scene = base;
    (void)s;
    free_items(scene->country_codes, scene->n_country_codes);
    scene->n_country_codes = 0;
}

static bool read_countries(const struct setting *s, void *base, const char *value,
                           char expected[SETTING_EXPECTED_SIZE])
{
    struct scene *scene = base;
    char *items[SCENE_COUNTRIES_MAX];
    size_t n;
    if (!split_items(value, items, SCENE_COUNTRIES_MAX, &n))
        return fail(expected, "at most 32 country calling codes");
    if (!are_countries(items, n)) {
        free_items(items, n);
        return fail(expected, "country calling codes without +, each once, with commas between: "
                              "86,852");
    }
    clear_countries(s, base);
    memcpy(scene->country_codes, items, n * sizeof(items[0]));
    scene->n_country_codes = n;
    return true;
}

static void write_countries(const struct setting *s, const void *base, struct buf *out)
{
    const struct scene *scene = base;
    (void)s;
    write_items(scene->country_codes, scene->n_country_codes, out);
}

const struct setting_type setting_type_text = {read_text, write_text, clear_text};
const struct setting_type setting_type_int = {read_int, write_int, clear_int};
const struct setting_type setting_type_bool = {read_bool, write_bool, clear_bool};
const struct setting_type setting_type_params = {read_params, write_params, clear_params};
const struct setting_type setting_type_countries = {read_countries, write_countries,
                                                    clear_countries};

/*
 * json-c behind our own grammar check (json_scan.h). A struct json is a json_object; only a
 * top-level null, for which json-c has no object, is a thing of our own.
 */
#include "common/json.h"

#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/json_c.h"
#include "common/json_scan.h"
#include "common/mem.h"
#include "common/text.h"

static char top_null;
#define TOP_NULL ((struct json *)(void *)&top_null)

/* json-c's getters are const at heart, not in their types. NULL for null. */
static struct json_object *object_of(const struct json *j)
{
    union {
        const struct json *ours;
        struct json_object *theirs;
    } u = {.ours = j};
    return j == TOP_NULL ? NULL : u.theirs;
}

static struct json *json_of(struct json_object *o)
{
    return (struct json *)o;
}

struct key {
    const char *text;
    size_t len;
};

/* What the scan of the keys leaves behind; with `list`, the top keys unescaped into `text`. */
struct keys {
    size_t n_top;
    bool nul; /* some key has an escape \u0000 */
    struct key *list;
    char *text;
};

/* The next \u0000 among the escapes of a key, NULL if there is none. */
static const char *find_nul_escape(const char *key, const char *end)
{
    for (; key < end; key++) {
        if (*key != '\\')
            continue;
        if (end - key >= 6 && memcmp(key, "\\u0000", 6) == 0)
            return key;
        key++; /* the escaped character */
    }
    return NULL;
}

static void note_key(void *arg, unsigned level, const char *key, size_t len)
{
    struct keys *k = arg;
    if (level == 1)
        k->n_top++;
    if (find_nul_escape(key, key + len) != NULL)
        k->nul = true;
}

static void collect_top_key(void *arg, unsigned level, const char *key, size_t len)
{
    struct keys *k = arg;
    if (level != 1)
        return;
    struct key *slot = &k->list[k->n_top++];
    slot->text = k->text;
    slot->len = json_unescape(key, len, k->text);
    k->text += slot->len;
}

static int compare_keys(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    if (x->len != y->len)
        return x->len < y->len ? -1 : 1;
    return memcmp(x->text, y->text, x->len);
}

/* 1: some key stands twice at the top; 0: none; -1: no memory. */
static int top_keys_repeat(const char *bytes, size_t len, size_t n_top)
{
    if (n_top < 2)
        return 0;
    struct key *list = mem_alloc(n_top * sizeof(*list));
    char *text = mem_alloc(len);
    int repeat = -1;
    if (list != NULL && text != NULL) {
        struct keys k = {.list = list, .text = text};
        unsigned deepest;
        repeat = 0;
        if (json_scan(bytes, len, &deepest, collect_top_key, &k) != JSON_SCAN_OK)
            panic("JSON that was well-formed is not any more");
        qsort(list, n_top, sizeof(*list), compare_keys);
        for (size_t i = 1; i < n_top && repeat == 0; i++)
            repeat = compare_keys(&list[i - 1], &list[i]) == 0;
    }
    mem_free(list);
    mem_free(text);
    return repeat;
}

/* json-c ends a key at a NUL, which would make "a\u0000b" an "a". The scan runs over our copy. */
static void replace_nul_in_key(void *arg, unsigned level, const char *key, size_t len)
{
    char *copy = arg;
    (void)level;
    for (const char *p = key; (p = find_nul_escape(p, key + len)) != NULL; p += 6)
        memcpy(copy + (p - copy), "\\ufffd", 6);
}

/* bytes are well-formed. NULL with a TEMP error when there is no memory. */
static struct json *build(const char *bytes, size_t len, unsigned deepest, struct err *e)
{
    struct json_tokener *tok = json_tokener_new_ex((int)deepest + 2);
    if (tok == NULL) {
        err_set(e, ERR_TEMP, 0, "no memory for a JSON value");
        return NULL;
    }
    struct json_object *o = json_tokener_parse_ex(tok, bytes, (int)len);
    if (json_tokener_get_error(tok) == json_tokener_continue)
        o = json_tokener_parse_ex(tok, "", 1); /* a number ends only at what follows */
    enum json_tokener_error failure = json_tokener_get_error(tok);
    json_tokener_free(tok);
    if (failure != json_tokener_success) {
        err_set(e, ERR_PERM, JSON_MALFORMED, "not a JSON value: %s",
                json_tokener_error_desc(failure));
        return NULL;
    }
    return o == NULL ? TOP_NULL : json_of(o);
}

static struct json *build_without_nul_keys(const char *bytes, size_t len, unsigned deepest,
                                           struct err *e)
{
    char *copy = mem_alloc(len);
    if (copy == NULL) {
        err_set(e, ERR_TEMP, 0, "no memory for a JSON value");
        return NULL;
    }
    memcpy(copy, bytes, len);
    if (json_scan(copy, len, &deepest, replace_nul_in_key, copy) != JSON_SCAN_OK)
        panic("JSON that was well-formed is not any more");
    struct json *j = build(copy, len, deepest, e);
    mem_free(copy);
    return j;
}

static int check_bytes(const char *bytes, size_t len, const struct json_limits *limits,
                       struct keys *keys, unsigned *deepest, struct err *e)
{
    if (len > INT32_MAX || !text_is_utf8(bytes, len))
        return err_set(e, ERR_PERM, JSON_NOT_UTF8, "not UTF-8");
    if (len >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0)
        return err_set(e, ERR_PERM, JSON_BYTE_ORDER_MARK, "begins with a byte-order mark");
    enum json_scan_result scanned = json_scan(bytes, len, deepest, note_key, keys);
    if (scanned == JSON_SCAN_MALFORMED)
        return err_set(e, ERR_PERM, JSON_MALFORMED, "not one well-formed JSON value");
    if (scanned == JSON_SCAN_TOO_DEEP || *deepest > limits->max_depth)
        return err_set(e, ERR_PERM, JSON_TOO_DEEP, "nested deeper than %u levels",
                       limits->max_depth);
    int repeat = limits->unique_top_keys ? top_keys_repeat(bytes, len, keys->n_top) : 0;
    if (repeat < 0)
        return err_set(e, ERR_TEMP, 0, "no memory for a JSON value");
    if (repeat > 0)
        return err_set(e, ERR_PERM, JSON_REPEATED_KEY, "a key stands twice in the object");
    return 0;
}

struct json *json_parse(const char *bytes, size_t len, const struct json_limits *limits,
                        struct err *e)
{
    struct keys keys = {0};
    unsigned deepest = 0;
    if (check_bytes(bytes, len, limits, &keys, &deepest, e) != 0)
        return NULL;
    return keys.nul ? build_without_nul_keys(bytes, len, deepest, e)
                    : build(bytes, len, deepest, e);
}

struct wanted_key {
    const char *key;
    char *room; /* for unescaping */
    bool found;
};

static void compare_top_key(void *arg, unsigned level, const char *key, size_t len)
{
    struct wanted_key *w = arg;
    if (level != 1 || w->found)
        return;
    size_t n = json_unescape(key, len, w->room);
    w->found = n == strlen(w->key) && memcmp(w->room, w->key, n) == 0;
}

bool json_bytes_have_key(const char *bytes, size_t len, const char *key)
{
    struct wanted_key w = {.key = key, .room = mem_must_alloc(len + 1)};
    unsigned deepest;
    enum json_scan_result ignored = json_scan(bytes, len, &deepest, compare_top_key, &w);
    (void)ignored; /* what stands before a fault counts */
    mem_free(w.room);
    return w.found;
}

void json_free(struct json *j)
{
    json_object_put(object_of(j));
}

enum json_type json_type(const struct json *j)
{
    switch (json_object_get_type(object_of(j))) {
    case json_type_boolean:
        return JSON_BOOL;
    case json_type_double:
        return JSON_DOUBLE;
    case json_type_int:
        return JSON_INT;
    case json_type_object:
        return JSON_OBJECT;
    case json_type_array:
        return JSON_ARRAY;
    case json_type_string:
        return JSON_STRING;
    case json_type_null:
        break;
    }
    return JSON_NULL;
}

const struct json *json_get(const struct json *obj, const char *key)
{
    struct json_object *value = NULL;
    if (json_type(obj) != JSON_OBJECT || !json_object_object_get_ex(object_of(obj), key, &value))
        return NULL;
    return json_of(value);
}

bool json_has(const struct json *obj, const char *key)
{
    return json_type(obj) == JSON_OBJECT && json_object_object_get_ex(object_of(obj), key, NULL);
}

size_t json_length(const struct json *arr)
{
    return json_type(arr) == JSON_ARRAY ? json_object_array_length(object_of(arr)) : 0;
}

const struct json *json_at(const struct json *arr, size_t i)
{
    if (i >= json_length(arr))
        return NULL;
    return json_of(json_object_array_get_idx(object_of(arr), i));
}

const char *json_string(const struct json *j, size_t *len)
{
    if (json_type(j) != JSON_STRING)
        return NULL;
    *len = (size_t)json_object_get_string_len(object_of(j));
    return json_object_get_string(object_of(j));
}

bool json_int(const struct json *j, int64_t *out)
{
    if (json_type(j) != JSON_INT)
        return false;
    *out = json_object_get_int64(object_of(j));
    return *out != INT64_MAX && *out != INT64_MIN; /* where json-c stops counting */
}

double json_double(const struct json *j)
{
    return json_object_get_double(object_of(j));
}

bool json_bool(const struct json *j)
{
    return json_type(j) == JSON_BOOL && json_object_get_boolean(object_of(j));
}

const char *json_get_text(const struct json *obj, const char *key)
{
    size_t len;
    const char *s = json_string(json_get(obj, key), &len);
    return s != NULL && strlen(s) == len ? s : NULL;
}

void json_each(const struct json *obj,
               void (*fn)(void *arg, const char *key, const struct json *value), void *arg)
{
    if (json_type(obj) != JSON_OBJECT)
        return;
    json_object_object_foreach(object_of(obj), key, value)
    {
        fn(arg, key, json_of(value));
    }
}

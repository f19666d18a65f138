/*
 * JSON, over json-c with the holes closed (LIBRARIES.md). Owner of json-c's headers.
 * json_parse is RFC 8259 to the letter: bytes that json-c would let through (single quotes, NaN,
 * comments, raw control characters, trailing bytes, a byte-order mark) are refused. The grammar
 * allows \u0000 and lone surrogates: in a string they arrive as a NUL byte and as U+FFFD, in a key
 * as U+FFFD both, so that no such key is ever taken for another.
 */
#ifndef SENDCODE_COMMON_JSON_H
#define SENDCODE_COMMON_JSON_H

#include "common/base.h"

struct err;
struct json; /* a value; members are borrowed from their parent */

enum json_type {
    JSON_NULL,
    JSON_BOOL,
    JSON_INT,
    JSON_DOUBLE,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

/* err.code of a PERM error of json_parse, in the order of checking. */
enum json_fault {
    JSON_NOT_UTF8 = 1,
    JSON_BYTE_ORDER_MARK,
    JSON_MALFORMED,
    JSON_TOO_DEEP,
    JSON_REPEATED_KEY, /* a key stands twice at the top level */
};

/* How strict beyond the grammar. */
struct json_limits {
    unsigned max_depth;   /* the top value is level 1 */
    bool unique_top_keys; /* compared after unescaping */
};

/* NULL with a PERM error (text quotes nothing from the input), or TEMP for no memory. The caller
 * frees. */
NODISCARD struct json *json_parse(const char *bytes, size_t len, const struct json_limits *limits,
                                  struct err *e);
void json_free(struct json *j); /* only for what json_parse and json_new_* gave; NULL is fine */

enum json_type json_type(const struct json *j); /* NULL pointer: JSON_NULL */
const struct json *json_get(const struct json *obj,
                            const char *key);           /* NULL if absent or no object */
bool json_has(const struct json *obj, const char *key); /* true also for a null member */
size_t json_length(const struct json *arr);             /* 0 if not an array */
const struct json *json_at(const struct json *arr, size_t i);
const char *json_string(const struct json *j,
                        size_t *len); /* NULL if not a string; may hold NUL bytes */
NODISCARD bool json_int(const struct json *j, int64_t *out); /* false if not an integer in range */
double json_double(const struct json *j);
bool json_bool(const struct json *j);

/* Member of type string, without NUL bytes; NULL otherwise. */
const char *json_get_text(const struct json *obj, const char *key);

/* Calls fn for each member. */
void json_each(const struct json *obj,
               void (*fn)(void *arg, const char *key, const struct json *value), void *arg);

/* A key of the top object, unescaped, is `key`; also when the bytes turn out malformed behind it.
 */
bool json_bytes_have_key(const char *bytes, size_t len, const char *key);

/* Building. add takes ownership of child. NULL strings are left out. Out of memory panics. */
struct json *json_new_object(void);
struct json *json_new_array(void);
void json_add(struct json *obj, const char *key, struct json *child);
void json_add_text(struct json *obj, const char *key, const char *s);
void json_add_int(struct json *obj, const char *key, int64_t i);
void json_append(struct json *arr, struct json *child);
void json_append_text(struct json *arr, const char *s);
const char *json_text(const struct json *j,
                      size_t *len); /* compact; lives as long as j and no change */

#endif

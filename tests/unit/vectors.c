/* Reading of test vectors; SENDCODE_SOURCE_DIR comes from CMake. */
#include "tests/unit/vectors.h"

#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/text.h"
#include "tests/check.h"

struct json *vectors_read(const char *path)
{
    const struct json_limits limits = {.max_depth = 16};
    char whole_path[512];
    char piece[4096];
    struct buf text = BUF_INIT;
    struct err e = {0};
    struct json *j;
    size_t n;
    FILE *f;

    snprintf(whole_path, sizeof(whole_path), "%s/%s", SENDCODE_SOURCE_DIR, path);
    f = fopen(whole_path, "r");
    if (!f)
        fail_msg("%s cannot be read", whole_path);
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        buf_add(&text, piece, n);
    fclose(f);
    j = json_parse(text.data, text.len, &limits, &e);
    if (!j)
        fail_msg("%s: %s", path, e.text);
    buf_free(&text);
    return j;
}

const char *vector_text(const struct json *vector, const char *key)
{
    const char *s = json_get_text(vector, key);

    if (!s)
        fail_msg("a vector has no text %s", key);
    return s;
}

int64_t vector_int(const struct json *vector, const char *key)
{
    int64_t i = 0;

    if (!json_int(json_get(vector, key), &i))
        fail_msg("a vector has no integer %s", key);
    return i;
}

void vector_bytes(const struct json *vector, const char *key, uint8_t *out, size_t size)
{
    const char *hex = vector_text(vector, key);

    if (!text_hex_to_bytes(hex, strlen(hex), out, size))
        fail_msg("a vector's %s is not %zu bytes of hex", key, size);
}

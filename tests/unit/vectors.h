/* Test vectors: JSON files of this tree, read whole. Fails the test when one cannot be read. */
#ifndef SENDCODE_TESTS_UNIT_VECTORS_H
#define SENDCODE_TESTS_UNIT_VECTORS_H

#include "common/json.h"

/* path: from the project's root. The caller frees. */
struct json *vectors_read(const char *path);

/* A member that must be there, as text or number. */
const char *vector_text(const struct json *vector, const char *key);
int64_t vector_int(const struct json *vector, const char *key);
/* The same, of exactly 2 * size hex digits. */
void vector_bytes(const struct json *vector, const char *key, uint8_t *out, size_t size);

#endif

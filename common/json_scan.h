/*
 * The grammar of RFC 8259 over raw bytes, for what json-c lets through or loses (LIBRARIES.md).
 * Nothing here allocates.
 */
#ifndef SENDCODE_COMMON_JSON_SCAN_H
#define SENDCODE_COMMON_JSON_SCAN_H

#include "common/base.h"

/* Deeper than this is JSON_SCAN_TOO_DEEP whatever follows. */
#define JSON_SCAN_LEVELS 8192

enum json_scan_result { JSON_SCAN_OK, JSON_SCAN_MALFORMED, JSON_SCAN_TOO_DEEP };

/* Called for each member's key, between its quotes and still escaped; level 1: the top object's. */
typedef void json_scan_key_fn(void *arg, unsigned level, const char *key, size_t len);

/* The bytes are one JSON value; *deepest is its nesting (a scalar: 0). Expects UTF-8. fn may be
 * NULL. */
NODISCARD enum json_scan_result json_scan(const char *bytes, size_t len, unsigned *deepest,
                                          json_scan_key_fn *fn, void *arg);

/*
 * Resolves the escapes of a string that json_scan has passed; out has room for len bytes, which is
 * always enough. A lone surrogate becomes the three bytes that UTF-8 forbids for it, so that two
 * texts are equal exactly when their code units are. Returns the length.
 */
size_t json_unescape(const char *raw, size_t len, char *out);

#endif

/* A job as if it were asked for now, all but two members left byte for byte. */
#ifndef SENDCODE_CTL_FRESH_H
#define SENDCODE_CTL_FRESH_H

#include "common/base.h"

struct buf;

/*
 * Replaces out's content by the value with requested_at set to now_us (Unix microseconds; put in
 * where it is missing) and without deadline. -1 when the value is no well-formed JSON object, or
 * has a key twice.
 */
NODISCARD int fresh_value(const void *value, size_t len, int64_t now_us, struct buf *out);

#endif

/* Checks the JSON objects that the control port is posted; a fault is one sentence for the asker.
 */
#ifndef SENDCODE_SANDBOX_JSON_IN_H
#define SENDCODE_SANDBOX_JSON_IN_H

#include "common/base.h"

struct err;
struct json;

/* obj is an object with members of `known` (NULL-terminated) only; `where` names it. */
NODISCARD int json_in_check(const struct json *obj, const char *where, const char *const *known,
                            struct err *e);
/* Absent leaves *out as it is. */
NODISCARD int json_in_int(const struct json *obj, const char *key, int64_t lo, int64_t hi,
                          int64_t *out, struct err *e);

#endif

/* Checks the parameters of an action against its table, as Tencent's gateway does. */
#ifndef SENDCODE_SANDBOX_PARAMS_H
#define SENDCODE_SANDBOX_PARAMS_H

#include "common/base.h"

struct json;
struct problem;

#define NUMBERS_MAX 200 /* of one request */

enum param_type { PARAM_TEXT, PARAM_INT, PARAM_TEXTS, PARAM_INTS };

struct param_rule {
    const char *name;
    enum param_type type;
    bool required;
};

/* 0, or -1 with UnknownParameter, MissingParameter or InvalidParameter. */
NODISCARD int params_check(const struct json *params, const struct param_rule *rules, size_t n,
                           struct problem *p);

/* After the check: 0, or -1 with the error when it has no number or more than NUMBERS_MAX. */
NODISCARD int params_check_phones(const struct json *phones, struct problem *p);

/* After the check: the text, or "" when absent. */
const char *params_text(const struct json *params, const char *name);
/* The i-th of a checked PARAM_TEXTS; NULL when that is no text. */
const char *params_at(const struct json *texts, size_t i);
int64_t params_int(const struct json *params, const char *name, int64_t otherwise);

#endif

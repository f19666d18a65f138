/*
 * Phone numbers as Tencent takes and normalises them: E.164, mainland numbers with or without
 * +86, 86 or 0086. (What sendcode's own jobs may hold is stricter: common/domain/phone.)
 */
#ifndef SENDCODE_SANDBOX_NUMBER_H
#define SENDCODE_SANDBOX_NUMBER_H

#include "common/base.h"

#define NUMBER_SIZE 17 /* '+', 15 digits, NUL */

struct number {
    char e164[NUMBER_SIZE]; /* "+8613800138000" */
    unsigned nation_digits; /* of them, the country calling code: 2 */
    bool mainland;
    const char *iso_code; /* "CN"; "DEF" where the sandbox does not know it */
    const char *iso_name; /* "China" */
};

/* False: no number that can be sent to (InvalidParameterValue.IncorrectPhoneNumber). */
NODISCARD bool number_from_text(const char *s, struct number *out);

#endif

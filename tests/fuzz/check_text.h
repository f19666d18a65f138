/* What holds for the texts that are read from any bytes. */
#ifndef SENDCODE_TESTS_FUZZ_CHECK_TEXT_H
#define SENDCODE_TESTS_FUZZ_CHECK_TEXT_H

#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/text.h"

static inline bool is_printable(const char *s)
{
    for (; *s; s++)
        if (*s < ' ' || *s > '~')
            return false;
    return true;
}

/* s may be NULL, but not empty; max: bytes. */
static inline void check_text(const char *s, size_t max)
{
    if (s && (!s[0] || strlen(s) > max || !text_is_utf8(s, strlen(s))))
        abort();
}

#endif

/*
 * A growing byte buffer, always NUL-terminated behind its length. Appends never fail visibly:
 * out of memory (or past `max`) sets `failed`, further appends do nothing, and the caller checks
 * once, at the end.
 */
#ifndef SENDCODE_COMMON_BUF_H
#define SENDCODE_COMMON_BUF_H

#include "common/base.h"

struct buf {
    char *data; /* never NULL after the first append; use buf_text for a safe string */
    size_t len;
    size_t cap;
    size_t max; /* 0: no bound of its own */
    bool failed;
};

#define BUF_INIT ((struct buf){0})

void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_add_text(struct buf *b, const char *s);
void buf_add_char(struct buf *b, char c);
PRINTF_LIKE(2, 3) void buf_add_fmt(struct buf *b, const char *fmt, ...);
void buf_add_hex(struct buf *b, const void *bytes, size_t len); /* lower case */
const char *buf_text(const struct buf *b);                      /* "" when empty */
void buf_clear(struct buf *b);                                  /* keeps the memory */
void buf_free(struct buf *b);
void buf_wipe(struct buf *b); /* overwrites, then frees */

#endif

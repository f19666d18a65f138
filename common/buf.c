/* The growing buffer. It grows by copy and wipe, so that buf_wipe leaves no secret behind. */
#include "common/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"

#define FIRST_CAP 128u

/* Room for len more bytes and the NUL, or failed. */
static bool make_room(struct buf *b, size_t len)
{
    if (b->failed) {
        return false;
    }
    if (len > SIZE_MAX / 4 - b->len || (b->max > 0 && len > b->max - MIN(b->len, b->max))) {
        b->failed = true;
        return false;
    }
    size_t need = b->len + len + 1;
    if (need <= b->cap) {
        return true;
    }
    size_t cap = MAX(b->cap * 2, (size_t)FIRST_CAP);
    while (cap < need) {
        cap *= 2;
    }
    char *data = mem_alloc(cap);
    if (data == NULL) {
        b->failed = true;
        return false;
    }
    if (b->data != NULL) {
        memcpy(data, b->data, b->len);
        mem_wipe(b->data, b->cap);
        mem_free(b->data);
    }
    b->data = data;
    b->cap = cap;
    return true;
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
    if (!make_room(b, len)) {
        return;
    }
    if (len > 0) {
        memcpy(b->data + b->len, bytes, len);
    }
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_add_text(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_add_char(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_add_fmt(struct buf *b, const char *fmt, ...)
{
    if (!make_room(b, 0)) {
        return;
    }
    va_list ap;
    va_list again;
    va_start(ap, fmt);
    va_copy(again, ap);
    size_t room = b->cap - b->len;
    int n = vsnprintf(b->data + b->len, room, fmt, ap);
    if (n < 0) {
        b->failed = true;
    } else if (make_room(b, (size_t)n)) {
        if ((size_t)n >= room) {
            vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
        }
        b->len += (size_t)n;
    }
    b->data[b->len] = '\0';
    va_end(again);
    va_end(ap);
}

void buf_add_hex(struct buf *b, const void *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = bytes;
    if (len > SIZE_MAX / 8 || !make_room(b, len * 2)) {
        b->failed = true;
        return;
    }
    for (size_t i = 0; i < len; i++) {
        b->data[b->len++] = digits[p[i] >> 4];
        b->data[b->len++] = digits[p[i] & 0x0f];
    }
    b->data[b->len] = '\0';
}

const char *buf_text(const struct buf *b)
{
    return b->data != NULL ? b->data : "";
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->data != NULL) {
        b->data[0] = '\0';
    }
}

void buf_free(struct buf *b)
{
    mem_free(b->data);
    *b = (struct buf){.max = b->max};
}

void buf_wipe(struct buf *b)
{
    if (b->data != NULL) {
        mem_wipe(b->data, b->cap);
    }
    buf_free(b);
}

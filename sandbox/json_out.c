/* JSON written straight into a buffer: quoting and the two kinds of members that answers have. */
#include "sandbox/json_out.h"

#include <string.h>

#include "common/buf.h"

static void add_escaped(struct buf *b, unsigned char c)
{
    switch (c) {
    case '"':
        buf_add(b, "\\\"", 2);
        break;
    case '\\':
        buf_add(b, "\\\\", 2);
        break;
    case '\n':
        buf_add(b, "\\n", 2);
        break;
    default:
        buf_add_fmt(b, "\\u%04x", c);
    }
}

void json_out_text(struct buf *b, const char *s)
{
    size_t len = strlen(s);
    buf_add_char(b, '"');
    size_t from = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_add(b, s + from, i - from);
        add_escaped(b, c);
        from = i + 1;
    }
    buf_add(b, s + from, len - from);
    buf_add_char(b, '"');
}

static void add_key(struct buf *b, const char *key)
{
    buf_add_char(b, '"');
    buf_add_text(b, key);
    buf_add(b, "\":", 2);
}

void json_out_member(struct buf *b, const char *key, const char *value)
{
    add_key(b, key);
    json_out_text(b, value);
}

void json_out_int(struct buf *b, const char *key, int64_t n)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t left = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (n < 0)
        digits[--at] = '-';
    add_key(b, key);
    buf_add(b, digits + at, sizeof digits - at);
}

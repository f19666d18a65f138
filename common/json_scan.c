/*
 * A scanner for RFC 8259: one pass, one bit a level, no recursion. json-c builds the values; this
 * decides whether the bytes are JSON at all.
 */
#include "common/json_scan.h"

#include <string.h>

#include "common/text.h"

/* What may stand at the cursor. */
enum expectation {
    VALUE,
    VALUE_OR_CLOSE, /* just behind '[' */
    KEY,
    KEY_OR_CLOSE, /* just behind '{' */
    COMMA_OR_CLOSE,
    END,
    MALFORMED,
    TOO_DEEP,
};

struct scan {
    const char *at;
    const char *end;
    unsigned level;
    unsigned deepest;
    uint8_t is_object[JSON_SCAN_LEVELS / 8]; /* bit (level - 1) */
    json_scan_key_fn *fn;
    void *arg;
};

static bool in_object(const struct scan *s)
{
    unsigned i = s->level - 1;
    return s->level > 0 && (s->is_object[i / 8] >> (i % 8) & 1) != 0;
}

static void skip_space(struct scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
        s->at++;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Four hex digits at p, -1 if they are not. */
static int32_t hex4(const char *p, const char *end)
{
    int32_t unit = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = text_hex_digit(p[i]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

/* Behind the opening quote; leaves the cursor behind the closing one. */
static bool scan_string(struct scan *s)
{
    while (s->at < s->end) {
        unsigned char c = (unsigned char)*s->at++;
        if (c == '"')
            return true;
        if (c < 0x20)
            return false;
        if (c != '\\')
            continue;
        if (s->at == s->end)
            return false;
        c = (unsigned char)*s->at++;
        if (c == 'u') {
            if (hex4(s->at, s->end) < 0)
                return false;
            s->at += 4;
        } else if (c == '\0' || strchr("\"\\/bfnrt", c) == NULL) {
            return false;
        }
    }
    return false;
}

static bool scan_digits(struct scan *s)
{
    if (s->at == s->end || !is_digit(*s->at))
        return false;
    while (s->at < s->end && is_digit(*s->at))
        s->at++;
    return true;
}

static bool scan_number(struct scan *s)
{
    if (*s->at == '-')
        s->at++;
    if (s->at < s->end && *s->at == '0')
        s->at++;
    else if (!scan_digits(s))
        return false;
    if (s->at < s->end && *s->at == '.') {
        s->at++;
        if (!scan_digits(s))
            return false;
    }
    if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
        s->at++;
        if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
            s->at++;
        if (!scan_digits(s))
            return false;
    }
    return true;
}

static bool scan_word(struct scan *s, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0)
        return false;
    s->at += len;
    return true;
}

static enum expectation behind_value(const struct scan *s)
{
    return s->level == 0 ? END : COMMA_OR_CLOSE;
}

static enum expectation open_container(struct scan *s)
{
    bool object = *s->at++ == '{';
    unsigned i = s->level;
    if (s->level == JSON_SCAN_LEVELS)
        return TOO_DEEP;
    s->level++;
    s->deepest = MAX(s->deepest, s->level);
    if (object)
        s->is_object[i / 8] |= (uint8_t)(1u << (i % 8));
    else
        s->is_object[i / 8] &= (uint8_t) ~(1u << (i % 8));
    return object ? KEY_OR_CLOSE : VALUE_OR_CLOSE;
}

static enum expectation close_container(struct scan *s)
{
    s->at++;
    s->level--;
    return behind_value(s);
}

static enum expectation scan_value(struct scan *s)
{
    bool good = false;
    switch (*s->at) {
    case '{':
    case '[':
        return open_container(s);
    case '"':
        s->at++;
        good = scan_string(s);
        break;
    case 't':
        good = scan_word(s, "true");
        break;
    case 'f':
        good = scan_word(s, "false");
        break;
    case 'n':
        good = scan_word(s, "null");
        break;
    default:
        good = scan_number(s);
        break;
    }
    return good ? behind_value(s) : MALFORMED;
}

static enum expectation scan_key(struct scan *s)
{
    if (*s->at != '"')
        return MALFORMED;
    const char *key = ++s->at;
    if (!scan_string(s))
        return MALFORMED;
    if (s->fn != NULL)
        s->fn(s->arg, s->level, key, (size_t)(s->at - key) - 1);
    skip_space(s);
    if (s->at == s->end || *s->at != ':')
        return MALFORMED;
    s->at++;
    return VALUE;
}

/* One token, at a byte that is no space. */
static enum expectation step(struct scan *s, enum expectation expected)
{
    char close = in_object(s) ? '}' : ']';
    switch (expected) {
    case VALUE_OR_CLOSE:
        return *s->at == close ? close_container(s) : scan_value(s);
    case VALUE:
        return scan_value(s);
    case KEY_OR_CLOSE:
        return *s->at == close ? close_container(s) : scan_key(s);
    case KEY:
        return scan_key(s);
    case COMMA_OR_CLOSE:
        if (*s->at == close)
            return close_container(s);
        if (*s->at != ',')
            return MALFORMED;
        s->at++;
        return in_object(s) ? KEY : VALUE;
    case END: /* trailing bytes */
    case MALFORMED:
    case TOO_DEEP:
        break;
    }
    return MALFORMED;
}

enum json_scan_result json_scan(const char *bytes, size_t len, unsigned *deepest,
                                json_scan_key_fn *fn, void *arg)
{
    struct scan s;
    s.at = bytes;
    s.end = bytes + len;
    s.level = 0;
    s.deepest = 0;
    s.fn = fn;
    s.arg = arg;

    enum expectation expected = VALUE;
    for (skip_space(&s); s.at < s.end; skip_space(&s)) {
        expected = step(&s, expected);
        if (expected == MALFORMED)
            return JSON_SCAN_MALFORMED;
        if (expected == TOO_DEEP)
            return JSON_SCAN_TOO_DEEP;
    }
    *deepest = s.deepest;
    return expected == END ? JSON_SCAN_OK : JSON_SCAN_MALFORMED;
}

static size_t put_code_point(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

/* The code point of the \u escape whose digits stand at *p; takes the second half of a pair too. */
static uint32_t take_code_point(const char **p, const char *end)
{
    int32_t unit = hex4(*p, end);
    *p += 4;
    if (unit >= 0xD800 && unit < 0xDC00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u') {
        int32_t low = hex4(*p + 2, end);
        if (low >= 0xDC00 && low < 0xE000) {
            *p += 6;
            return 0x10000u + ((uint32_t)(unit - 0xD800) << 10) + (uint32_t)(low - 0xDC00);
        }
    }
    return (uint32_t)unit;
}

size_t json_unescape(const char *raw, size_t len, char *out)
{
    static const char names[] = "bfnrt";
    static const char controls[] = "\b\f\n\r\t";
    const char *end = raw + len;
    size_t n = 0;
    while (raw < end) {
        if (*raw != '\\') {
            out[n++] = *raw++;
            continue;
        }
        char c = raw[1];
        raw += 2;
        if (c == 'u') {
            n += put_code_point(take_code_point(&raw, end), out + n);
            continue;
        }
        const char *control = strchr(names, c);
        out[n++] = control != NULL ? controls[control - names] : c;
    }
    return n;
}

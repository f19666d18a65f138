/* logfmt lines, each at most PIPE_BUF bytes so that one write(2) to a pipe is whole or not at all.
 */
#include "common/log.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/text.h"

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug", [LOG_INFO] = "info",   [LOG_WARN] = "warn",
    [LOG_ERROR] = "error", [LOG_FATAL] = "fatal",
};

static enum log_level least_level = LOG_INFO;
static void (*sink)(void *arg, const char *line, size_t len);
static void *sink_arg;
static int64_t lost_lines; /* that stderr did not take since the last one that it took */

struct line {
    char bytes[PIPE_BUF];
    size_t len;
};

/* What is too long for the line is cut; two bytes stay free for a closing quote and the line end.
 */
static bool put(struct line *l, const char *s, size_t n)
{
    if (l->len + n > sizeof(l->bytes) - 2) {
        return false;
    }
    memcpy(l->bytes + l->len, s, n);
    l->len += n;
    return true;
}

static bool is_bare(const char *s, bool utf8)
{
    for (const unsigned char *p = (const unsigned char *)s; *p != '\0'; p++) {
        if (*p <= ' ' || *p == '"' || *p == '=' || *p == '\\' || *p == 0x7f ||
            (*p >= 0x80 && !utf8)) {
            return false;
        }
    }
    return s[0] != '\0';
}

/* How the byte c stands between quotes: into out, its length returned. */
static size_t escape(unsigned char c, bool utf8, char out[8])
{
    int n = 0;
    if (c == '"' || c == '\\') {
        n = snprintf(out, 8, "\\%c", c);
    } else if (c == '\n' || c == '\t' || c == '\r') {
        n = snprintf(out, 8, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
    } else if (c < ' ' || c == 0x7f || (c >= 0x80 && !utf8)) {
        n = snprintf(out, 8, "\\x%02x", c);
    } else {
        out[0] = (char)c;
        n = 1;
    }
    return (size_t)n;
}

static void put_value(struct line *l, const char *s)
{
    size_t len = strlen(s);
    bool utf8 = text_is_utf8(s, len);
    if (is_bare(s, utf8) && put(l, s, len)) {
        return;
    }
    if (!put(l, "\"", 1)) {
        return;
    }
    for (size_t i = 0; i < len;) {
        char escaped[8] = {0};
        size_t n = 1;
        while (utf8 && ((unsigned char)s[i + n] & 0xc0) == 0x80) {
            n++; /* a character of several bytes is cut off as a whole */
        }
        const char *piece = s + i;
        size_t piece_len = n;
        if (n == 1) {
            piece = escaped;
            piece_len = escape((unsigned char)s[i], utf8, escaped);
        }
        if (!put(l, piece, piece_len)) {
            break;
        }
        i += n;
    }
    l->bytes[l->len++] = '"'; /* its byte was kept free */
}

/* " key=", or nothing when it has no room. */
static bool put_key(struct line *l, const char *key)
{
    char text[128];
    int n = snprintf(text, sizeof(text), " %s=", key);
    return (size_t)n < sizeof(text) && put(l, text, (size_t)n);
}

static void put_text(struct line *l, const char *key, const char *s)
{
    if (put_key(l, key)) {
        put_value(l, s);
    }
}

static void put_int(struct line *l, const char *key, int64_t i)
{
    char number[24];
    snprintf(number, sizeof(number), "%lld", (long long)i);
    put_text(l, key, number);
}

static void write_to_stderr(const char *bytes, size_t len)
{
    size_t done = 0;
    while (done < len) {
        ssize_t n = write(STDERR_FILENO, bytes + done, len - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            lost_lines++; /* a full pipe or a closed one must not stop the program */
            return;
        }
        done += (size_t)n;
    }
    lost_lines = 0;
}

void log_write(enum log_level level, const char *msg, const struct log_field *fields, size_t n)
{
    if (level < least_level) {
        return;
    }
    struct line l = {.len = 0};
    char now[TEXT_TIME_SIZE];
    text_from_time_us(clock_wall_us(), now);
    int head = snprintf(l.bytes, sizeof(l.bytes), "t=%s level=%s", now, level_names[level]);
    l.len = (size_t)head;
    put_text(&l, "msg", msg);
    for (size_t i = 0; i < n; i++) {
        if (fields[i].key == NULL) {
            continue;
        }
        if (fields[i].is_int) {
            put_int(&l, fields[i].key, fields[i].i);
        } else if (fields[i].s != NULL) {
            put_text(&l, fields[i].key, fields[i].s);
        }
    }
    if (lost_lines > 0) {
        put_int(&l, "lost_lines", lost_lines);
    }
    l.bytes[l.len++] = '\n';
    if (sink != NULL) {
        sink(sink_arg, l.bytes, l.len);
    } else {
        write_to_stderr(l.bytes, l.len);
    }
}

bool log_gate_open(struct log_gate *g, int64_t *dropped)
{
    int64_t now_us = clock_boot_us();
    if (g->open && now_us < g->next_us) {
        g->dropped++;
        return false;
    }
    *dropped = g->dropped;
    g->dropped = 0;
    g->open = true;
    g->next_us = now_us + g->period_us;
    return true;
}

bool log_gate_reset(struct log_gate *g)
{
    bool was_open = g->open;
    *g = (struct log_gate){.period_us = g->period_us};
    return was_open;
}

void log_set_level(enum log_level least)
{
    least_level = least;
}

bool log_level_from_text(const char *s, enum log_level *out)
{
    for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
        if (strcmp(s, level_names[i]) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void log_set_sink(void (*fn)(void *arg, const char *line, size_t len), void *arg)
{
    sink = fn;
    sink_arg = arg;
}

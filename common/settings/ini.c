/* The line grammar of the configuration. */
#include "common/settings/ini.h"

#include <string.h>

#include "common/mem.h"
#include "common/text.h"

struct reader {
    ini_fn *fn;
    ini_fault_fn *fault;
    void *arg;
    char *section; /* "" before the first header */
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Cuts spaces at both ends, in place. */
static char *trim(char *s)
{
    size_t len = strlen(s);
    while (len > 0 && is_space(s[len - 1]))
        s[--len] = '\0';
    while (is_space(*s))
        s++;
    return s;
}

/* One space between words. */
static void squeeze(char *s)
{
    char *to = s;
    for (const char *from = s; *from != '\0'; from++) {
        if (!is_space(*from))
            *to++ = *from;
        else if (!is_space(from[1]))
            *to++ = ' ';
    }
    *to = '\0';
}

static void read_header(struct reader *r, int line, char *s)
{
    size_t len = strlen(s);
    if (s[len - 1] != ']') {
        r->fault(r->arg, line, "expected [section] and nothing behind it");
        return;
    }
    s[len - 1] = '\0';
    s = trim(s + 1);
    squeeze(s);
    if (s[0] == '\0' || strpbrk(s, "[]") != NULL) {
        r->fault(r->arg, line, "expected the name of a section between the brackets");
        return;
    }
    mem_free(r->section);
    r->section = mem_must_strdup(s);
    r->fn(r->arg, line, r->section, NULL, NULL);
}

static void read_line(struct reader *r, int line, char *s)
{
    s = trim(s);
    if (s[0] == '\0' || s[0] == ';' || s[0] == '#')
        return;
    if (s[0] == '[') {
        read_header(r, line, s);
        return;
    }
    char *equals = strchr(s, '=');
    if (equals == NULL || equals == s) {
        r->fault(r->arg, line, "expected key = value, [section] or a comment");
        return;
    }
    *equals = '\0';
    r->fn(r->arg, line, r->section, trim(s), trim(equals + 1));
}

void ini_parse(const char *text, size_t len, ini_fn *fn, ini_fault_fn *fault, void *arg)
{
    struct reader r = {.fn = fn, .fault = fault, .arg = arg, .section = mem_must_strdup("")};
    const char *end = text + len;
    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) /* some editors put it there */
        text += 3;
    for (int line = 1; text < end; line++) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        size_t length = (size_t)((stop != NULL ? stop : end) - text);
        char *copy = mem_must_alloc(length + 1);
        memcpy(copy, text, length);
        if (text_has_nul(copy, length) || !text_is_utf8(copy, length))
            fault(arg, line, "expected UTF-8 text");
        else
            read_line(&r, line, copy);
        mem_wipe(copy, length);
        mem_free(copy);
        text += length + (stop != NULL ? 1 : 0);
    }
    mem_free(r.section);
}

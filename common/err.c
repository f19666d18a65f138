/* Filling a struct err. */
#include "common/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* One sentence on one line, whatever a library's message brought along. */
static void put_on_one_line(char *text)
{
    for (char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p < ' ') {
            *p = ' ';
        }
    }
    size_t len = strlen(text);
    while (len > 0 && text[len - 1] == ' ') {
        text[--len] = '\0';
    }
}

int err_set(struct err *e, enum err_class class, int code, const char *fmt, ...)
{
    if (e == NULL) {
        return -1;
    }
    struct err filled = {.class = class, .code = code};
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(filled.text, sizeof(filled.text), fmt, ap);
    va_end(ap);
    put_on_one_line(filled.text);
    *e = filled; /* last: the arguments may point into *e */
    return -1;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
    if (e == NULL) {
        return -1;
    }
    char context[sizeof(e->text)];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(context, sizeof(context), fmt, ap);
    va_end(ap);
    char wrapped[2 * sizeof(e->text) + 2];
    snprintf(wrapped, sizeof(wrapped), "%s: %s", context, e->text);
    memcpy(e->text, wrapped, sizeof(e->text) - 1);
    e->text[sizeof(e->text) - 1] = '\0';
    put_on_one_line(e->text);
    return -1;
}

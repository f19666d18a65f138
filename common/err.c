/* Filling a struct err. */
#include "common/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"

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

/* The text may be longer than its place: it is cut between two characters. */
static void put_text(struct err *e, const char *text)
{
    size_t len = text_utf8_cut(text, strlen(text), sizeof(e->text) - 1);
    memcpy(e->text, text, len);
    e->text[len] = '\0';
    put_on_one_line(e->text);
}

int err_set(struct err *e, enum err_class class, int code, const char *fmt, ...)
{
    if (e == NULL) {
        return -1;
    }
    char text[sizeof(e->text) + 4]; /* the arguments may point into *e */
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    e->class = class;
    e->code = code;
    put_text(e, text);
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
    char text[2 * sizeof(e->text) + 2];
    snprintf(text, sizeof(text), "%s: %s", context, e->text);
    put_text(e, text);
    return -1;
}

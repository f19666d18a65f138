/* What begins a formula: = + - @ tab and carriage return, except in a number or a (masked) phone.
 */
#include "ctl/csv.h"

#include <stdbool.h>
#include <string.h>

#include "common/buf.h"
#include "common/text.h"

static bool is_formula(const char *s)
{
    size_t len = strlen(s);

    if (len == 0 || !strchr("=+-@\t\r", *s))
        return false;
    return !strchr("+-", *s) || !text_all_in(s + 1, len - 1, "0123456789*");
}

void csv_add_cell(struct buf *out, const char *text)
{
    if (!text)
        return;
    bool formula = is_formula(text);
    if (*text && !formula && !strpbrk(text, ",\"\r\n")) {
        buf_add_text(out, text);
        return;
    }
    buf_add_char(out, '"');
    if (formula)
        buf_add_char(out, '\'');
    for (const char *s = text; *s; s++) {
        if (*s == '"')
            buf_add_char(out, '"');
        buf_add_char(out, *s);
    }
    buf_add_char(out, '"');
}

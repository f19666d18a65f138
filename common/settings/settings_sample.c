/* The text of etc/sendcode.conf, from the table. */
#include <string.h>

#include "common/buf.h"
#include "common/settings/settings.h"
#include "common/settings/settings_table.h"

/* Each line of text as a comment. */
static void add_comment(const char *text, struct buf *out)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        buf_add_text(out, "# ");
        buf_add(out, text, len);
        buf_add_char(out, '\n');
        text += len + (text[len] == '\n');
    }
}

static void add_row(const struct setting *row, struct buf *out)
{
    buf_add_char(out, '\n');
    add_comment(row->doc, out);
    if (row->example != NULL)
        buf_add_fmt(out, "%s = %s\n", row->key, row->example);
    else if (row->preset != NULL)
        buf_add_fmt(out, ";%s = %s\n", row->key, row->preset);
    else
        buf_add_fmt(out, ";%s =\n", row->key);
}

void settings_sample(struct buf *out)
{
    add_comment("The configuration of sendcode: a working example with every key.\n"
                "A key behind ; is not set and shows its default. Values run to the end of the\n"
                "line; comments stand on lines of their own. Secrets come from the environment.\n"
                "This text is made from common/settings/settings_table.c: change it there.",
                out);
    for (size_t i = 0; i < settings_sections_size; i++) {
        const struct section_doc *section = &settings_sections[i];
        buf_add_char(out, '\n');
        add_comment(section->doc, out);
        buf_add_fmt(out, "[%s]\n", section->header);
        for (size_t k = 0; k < settings_table_size; k++)
            if (strcmp(settings_table[k].section, section->name) == 0)
                add_row(&settings_table[k], out);
        if (section->lines != NULL)
            buf_add_fmt(out, "\n%s", section->lines);
    }
}

/* The manual page sendcode.conf(5), from the table. */
#include <string.h>

#include "common/buf.h"
#include "common/settings/settings.h"
#include "common/settings/settings_table.h"

static const char head[] =
    ".\\\" Made from common/settings/settings_table.c: change it there.\n"
    ".TH SENDCODE.CONF 5 \"\" sendcode\n"
    ".SH NAME\n"
    "sendcode.conf \\- configuration of sendcode\n"
    ".SH DESCRIPTION\n"
    "An INI file, read by\n"
    ".BR sendcode\\-worker (1),\n"
    ".BR sendcodectl (1)\n"
    "and\n"
    ".BR sendcode\\-sandbox (1).\n"
    "A line is a section's name in brackets, or\n"
    ".IR key \" = \" value ,\n"
    "or a comment, which begins with # or ;.\n"
    "Blanks around a value are dropped; it runs to the end of the line, of any length, and is\n"
    "not quoted. A section that stands twice, or a key that stands twice in its section, is a\n"
    "fault, and so is an unknown one. All faults are told at once, each with file, line, key\n"
    "and what was expected, and the program exits with 78 before it touches anything.\n"
    ".PP\n"
    "Keys marked\n"
    ".I reloads\n"
    "take effect in a running worker on SIGHUP, the others at its next start.\n";

static const char tail[] =
    ".SH ENVIRONMENT\n"
    "Secrets stand in the environment, or in a file that the same variable with _FILE behind it\n"
    "names; never in sendcode.conf. Line ends around a file's content are dropped. A variable\n"
    "and its _FILE both set is a fault.\n"
    ".TP\n"
    ".BR TENCENT_SECRET_ID \", \" TENCENT_SECRET_KEY\n"
    "The key of the Tencent Cloud API; TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY are\n"
    "taken as well.\n"
    ".TP\n"
    ".B TENCENT_TOKEN\n"
    "With temporary keys only; or TENCENTCLOUD_TOKEN.\n"
    ".TP\n"
    ".B SENDCODE_CODE_KEY\n"
    "64 hex digits from which codes are made: the workers' alone.\n"
    ".TP\n"
    ".B SENDCODE_VERIFY_KEY\n"
    "64 hex digits under which codes are checked: the workers' and the verifiers'.\n"
    "Each of the two may be a list with commas between: the first makes, all are known. No key\n"
    "may be in both.\n"
    ".TP\n"
    ".BI SENDCODE_KAFKA_ PROPERTY\n"
    "A property of librdkafka, in upper case, with _ for each dot.\n"
    ".TP\n"
    ".BR PGPASSWORD \", \" PGPASSFILE\n"
    "and whatever else libpq takes from the environment (these have no _FILE form).\n"
    ".SH FILES\n"
    ".TP\n"
    ".I /etc/sendcode/sendcode.conf\n"
    "An example with every key, to be changed.\n"
    ".SH SEE ALSO\n"
    ".BR sendcode\\-worker (1),\n"
    ".BR sendcodectl (1),\n"
    ".BR sendcode\\-sandbox (1)\n";

/* Text as it reads, whatever roff would make of it. */
static void add_escaped(const char *s, struct buf *out)
{
    for (bool line_start = true; *s != '\0'; s++) {
        if (line_start && (*s == '.' || *s == '\''))
            buf_add_text(out, "\\&");
        if (*s == '\\')
            buf_add_text(out, "\\e");
        else if (*s == '-')
            buf_add_text(out, "\\-");
        else
            buf_add_char(out, *s);
        line_start = *s == '\n';
    }
}

static void add_bounds(const struct setting *row, struct buf *out)
{
    const char *between = "";
    if (row->type == &setting_type_int) {
        buf_add_fmt(out, "%lld to %lld", (long long)row->lo, (long long)row->hi);
        between = "; ";
    }
    if (row->preset != NULL) {
        buf_add_fmt(out, "%sdefault ", between);
        add_escaped(row->preset, out);
        between = "; ";
    }
    if (row->reloads)
        buf_add_fmt(out, "%sreloads", between);
}

static void add_row(const struct setting *row, struct buf *out)
{
    struct buf bounds = BUF_INIT;
    add_bounds(row, &bounds);
    buf_add_fmt(out, ".TP\n.B %s\n", row->key);
    if (bounds.len > 0)
        buf_add_fmt(out, ".RI ( \"%s\" )\n.br\n", buf_text(&bounds));
    add_escaped(row->doc, out);
    buf_add_char(out, '\n');
    buf_free(&bounds);
}

static void add_section(const struct section_doc *section, struct buf *out)
{
    buf_add_fmt(out, ".SS [%s]\n", section->header);
    add_escaped(section->doc, out);
    buf_add_char(out, '\n');
    for (size_t i = 0; i < settings_table_size; i++)
        if (strcmp(settings_table[i].section, section->name) == 0)
            add_row(&settings_table[i], out);
    if (section->lines != NULL) {
        buf_add_text(out, ".PP\nFor example:\n.PP\n.nf\n");
        add_escaped(section->lines, out);
        buf_add_text(out, ".fi\n");
    }
}

void settings_manual(struct buf *out)
{
    buf_add_text(out, head);
    buf_add_text(out, ".SH SECTIONS\n");
    for (size_t i = 0; i < settings_sections_size; i++)
        add_section(&settings_sections[i], out);
    buf_add_text(out, tail);
}

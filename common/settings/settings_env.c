/* Reads one variable, or the file that it names. */
#include "common/settings/settings_env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/settings/settings_doc.h"
#include "common/settings/settings_file.h"
#include "common/text.h"

#define SECRET_FILE_MAX (64 * 1024)

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

static void add_trimmed(struct buf *out, const char *s, size_t len)
{
    while (len > 0 && is_line_end(s[len - 1]))
        len--;
    while (len > 0 && is_line_end(*s)) {
        s++;
        len--;
    }
    buf_add(out, s, len);
}

static enum env_found read_file(const struct settings_doc *d, const char *name, const char *path,
                                struct buf *out)
{
    struct buf text = {.max = SECRET_FILE_MAX};
    enum env_found found = ENV_FAULT;
    int failure = settings_file_read(path, &text);
    if (failure != 0)
        settings_env_fault(d, name, "expected the path of a readable file: %s", strerror(failure));
    else if (text_has_nul(buf_text(&text), text.len))
        settings_env_fault(d, name, "expected the path of a text file");
    else
        add_trimmed(out, buf_text(&text), text.len);
    buf_wipe(&text);
    if (failure == 0 && out->len > 0)
        found = ENV_FOUND;
    else if (failure == 0)
        settings_env_fault(d, name, "expected the path of a file that is not empty");
    return found;
}

enum env_found settings_env_get(const struct settings_doc *d, const char *name, struct buf *out)
{
    char file_name[256];
    const char *value = getenv(name);
    snprintf(file_name, sizeof(file_name), "%s_FILE", name);
    const char *path = getenv(file_name);
    bool has_value = value != NULL && value[0] != '\0';
    bool has_path = path != NULL && path[0] != '\0';
    if (has_value && has_path) {
        settings_env_fault(d, name, "expected either this or %s, not both", file_name);
        return ENV_FAULT;
    }
    if (has_path)
        return read_file(d, file_name, path, out);
    if (!has_value)
        return ENV_NONE;
    add_trimmed(out, value, strlen(value));
    return ENV_FOUND;
}

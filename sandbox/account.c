/* Reads the account's key: a variable, or the file that the variable with _FILE names. */
#include "sandbox/account.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"

#define SECRET_MAX 4096

/* The file's content without the line ends around it; NULL with a fault. */
static char *read_file(const char *variable, const char *path, struct buf *faults)
{
    char text[SECRET_MAX + 1];
    FILE *f = fopen(path, "re");
    if (!f) {
        buf_add_fmt(faults, "environment: %s: the file cannot be read: %s\n", variable,
                    strerror(errno));
        return NULL;
    }
    size_t len = fread(text, 1, SECRET_MAX, f);
    fclose(f);
    while (len > 0 && strchr("\r\n", text[len - 1]))
        len--;
    text[len] = 0;
    char *s = mem_must_strdup(text + strspn(text, "\r\n"));
    mem_wipe(text, sizeof text);
    return s;
}

/* prefix "TENCENT_" or "TENCENTCLOUD_"; NULL: not set, or a fault. */
static char *read_one(const char *prefix, const char *name, struct buf *faults)
{
    char variable[64];
    snprintf(variable, sizeof variable, "%s%s", prefix, name);
    const char *value = getenv(variable);
    if (value && value[0])
        return mem_must_strdup(value);
    snprintf(variable, sizeof variable, "%s%s_FILE", prefix, name);
    const char *path = getenv(variable);
    return path && path[0] ? read_file(variable, path, faults) : NULL;
}

static char *read_either(const char *name, struct buf *faults)
{
    char *value = read_one("TENCENT_", name, faults);
    return value ? value : read_one("TENCENTCLOUD_", name, faults);
}

int account_read(struct account *a, struct buf *faults)
{
    size_t before = faults->len;
    *a = (struct account){
        .secret_id = read_either("SECRET_ID", faults),
        .secret_key = read_either("SECRET_KEY", faults),
        .token = read_either("TOKEN", faults),
    };
    if (faults->len == before && (!a->secret_id || !a->secret_key))
        buf_add_text(faults, "environment: TENCENT_SECRET_ID and TENCENT_SECRET_KEY: set both to "
                             "the key that the sandbox shall accept\n");
    if (faults->len == before)
        return 0;
    account_free(a);
    return -1;
}

static void wipe(char *s)
{
    if (s)
        mem_wipe(s, strlen(s));
    mem_free(s);
}

void account_free(struct account *a)
{
    wipe(a->secret_id);
    wipe(a->secret_key);
    wipe(a->token);
    *a = (struct account){0};
}

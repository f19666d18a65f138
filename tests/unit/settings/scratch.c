/* Files in the working directory, named after the process. */
#include "tests/unit/settings/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "tests/check.h"

const char scratch_minimum[] = "[kafka]\nbootstrap.servers = b:9092\n"
                               "[postgres]\ndsn = dbname=x\n"
                               "[tencent]\nsdk_app_id = 1400000001\nsign_name = AA\n"
                               "[scene login]\ntemplate_id = 1\n";

void scratch_set_secrets(void)
{
    setenv("TENCENT_SECRET_ID", "AKIDx", 1);
    setenv("TENCENT_SECRET_KEY", "sk", 1);
    setenv("SENDCODE_CODE_KEY", SCRATCH_KEY_A, 1);
    setenv("SENDCODE_VERIFY_KEY", SCRATCH_KEY_B, 1);
}

void scratch_clear_environment(void)
{
    clearenv();
}

const char *scratch_write(const char *text)
{
    static char path[64];
    snprintf(path, sizeof(path), "settings-%ld.conf", (long)getpid());
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    fclose(f);
    return path;
}

struct settings *scratch_load(const char *text, unsigned needs)
{
    struct buf faults = BUF_INIT;
    const char *path = scratch_write(text);
    struct settings *s = settings_load(path, needs, &faults);
    unlink(path);
    if (s == NULL)
        fail_msg("%s", buf_text(&faults));
    buf_free(&faults);
    return s;
}

const char *scratch_faults(const char *text, unsigned needs)
{
    static char out[16384];
    struct buf faults = BUF_INIT;
    const char *path = scratch_write(text);
    struct settings *s = settings_load(path, needs, &faults);
    unlink(path);
    assert_int_equal(s == NULL, faults.len > 0);
    settings_free(s);

    out[0] = '\0';
    char *rest = NULL;
    for (char *line = faults.len > 0 ? strtok_r(faults.data, "\n", &rest) : NULL; line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(line, path, strlen(path)) == 0)
            line += strlen(path);
        strncat(out, line, sizeof(out) - strlen(out) - 1);
        strncat(out, "\n", sizeof(out) - strlen(out) - 1);
    }
    buf_free(&faults);
    return out;
}

/* Any text as a configuration: faults are lines, and what is taken means the same when dumped. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/settings/settings.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    clearenv();
    return 0;
}

/* Faults, if any, are whole lines. */
static struct settings *load(const void *text, size_t size)
{
    struct buf faults = BUF_INIT;
    char path[64];
    int fd = memfd_create("settings", MFD_CLOEXEC);
    if (fd < 0 || write(fd, text, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    struct settings *s = settings_load(path, 0, &faults);
    close(fd);
    if ((s == NULL) != (faults.len > 0))
        abort();
    if (s == NULL && faults.data[faults.len - 1] != '\n')
        abort();
    buf_free(&faults);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf dump = BUF_INIT, ignored = BUF_INIT;
    struct settings *s = load(data, size);
    if (s == NULL)
        return 0;
    settings_dump(s, &dump);
    struct settings *again = load(buf_text(&dump), dump.len);
    if (again == NULL)
        abort();
    again = settings_reload(s, again, &ignored);
    if (ignored.len > 0 || again->n_scenes != s->n_scenes || again->n_kafka != s->n_kafka)
        abort();
    settings_free(s);
    settings_free(again);
    buf_free(&dump);
    buf_free(&ignored);
    return 0;
}

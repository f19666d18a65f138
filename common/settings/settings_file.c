/* Reads a small file whole. */
#include "common/settings/settings_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/mem.h"

int settings_file_read(const char *path, struct buf *out)
{
    char chunk[4096];
    ssize_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    while ((n = read(fd, chunk, sizeof(chunk))) != 0 && !out->failed) {
        if (n > 0)
            buf_add(out, chunk, (size_t)n);
        else if (errno != EINTR)
            break;
    }
    int failure = n < 0 ? errno : out->failed ? EFBIG : 0;
    mem_wipe(chunk, sizeof(chunk));
    close(fd);
    return failure;
}

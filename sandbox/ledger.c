/* Appends accepted messages to the ledger's file with write(2), several lines a call. */
#include "sandbox/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "sandbox/store.h"

int ledger_open(struct ledger *l, const char *path, struct err *e)
{
    *l = (struct ledger){.fd = -1};
    if (!path)
        return 0;
    /* 0600: the lines hold codes. */
    l->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (l->fd < 0)
        return err_set(e, ERR_PERM, errno, "--ledger %s cannot be opened for writing: %s", path,
                       strerror(errno));
    return 0;
}

void ledger_close(struct ledger *l)
{
    if (l->fd >= 0)
        close(l->fd);
    buf_free(&l->lines);
    l->fd = -1;
}

void ledger_add(struct ledger *l, const struct message *m)
{
    if (l->fd < 0)
        return;
    message_add_json(m, &l->lines);
    buf_add_char(&l->lines, '\n');
}

int ledger_write(struct ledger *l, struct err *e)
{
    size_t done = 0;
    if (l->lines.failed)
        return err_set(e, ERR_TEMP, ENOMEM, "the ledger cannot be written: out of memory");
    while (done < l->lines.len) {
        ssize_t n = write(l->fd, l->lines.data + done, l->lines.len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(e, ERR_TEMP, errno, "the ledger cannot be written: %s", strerror(errno));
        done += (size_t)n;
    }
    buf_clear(&l->lines);
    return 0;
}

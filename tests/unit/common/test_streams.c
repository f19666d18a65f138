/* What a program finds under the numbers 0 to 2, whatever its caller left there. */
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/streams.h"
#include "tests/check.h"

/* In a child, as the test needs its own streams. 0: all is as it must be. */
static int in_child(int closed)
{
    char byte = 'x';

    for (int fd = 0; fd <= 2; fd++)
        if (closed & 1 << fd)
            close(fd);
    streams_open_missing();
    if (open("/dev/null", O_RDWR) <= 2)
        return 1;
    for (int fd = 0; fd <= 2; fd++) {
        if (!(closed & 1 << fd))
            continue;
        ssize_t n = fd == 0 ? read(fd, &byte, 1) : write(fd, &byte, 1);
        if (n != -1 || errno != EBADF)
            return 2;
    }
    return 0;
}

static void closed_streams_are_taken_and_their_use_fails(void **state)
{
    (void)state;
    for (int closed = 0; closed < 8; closed++) {
        int status = 0;
        pid_t pid = fork();
        if (pid == 0)
            _exit(in_child(closed));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_streams_are_taken_and_their_use_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

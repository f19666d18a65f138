/* Dies where SENDCODE_CRASHPOINT says. Built into the tests' worker only. */
#include "common/crashpoint.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#ifdef SENDCODE_CRASHPOINTS

void crashpoint_reach(const char *name)
{
    static long reached;
    const char *wanted = getenv("SENDCODE_CRASHPOINT");
    size_t len = strlen(name);
    if (!wanted || strncmp(wanted, name, len) != 0 || (wanted[len] && wanted[len] != ':'))
        return;
    long nth = wanted[len] ? strtol(wanted + len + 1, NULL, 10) : 1;
    if (++reached == nth)
        raise(SIGKILL);
}

#endif

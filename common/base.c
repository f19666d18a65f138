/* How the program ends when it has found a bug of its own; a fuzzer wants to see a signal. */
#include "common/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void panic_at(const char *file, int line, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    dprintf(STDERR_FILENO, "panic at %s:%d: %s\n", file, line, text);
#ifdef SENDCODE_PANIC_ABORTS
    abort();
#else
    _exit(EXIT_BUG);
#endif
}

/* Allocation in one place, so that tests can make it fail. */
#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

static size_t allocations_to_failure;

static bool must_fail_now(void)
{
    return allocations_to_failure > 0 && --allocations_to_failure == 0;
}

void mem_fail_after(size_t n)
{
    allocations_to_failure = n;
}

void *mem_alloc(size_t size)
{
    return must_fail_now() ? NULL : calloc(1, MAX(size, (size_t)1));
}

void *mem_resize(void *p, size_t size)
{
    return must_fail_now() ? NULL : realloc(p, MAX(size, (size_t)1));
}

void *mem_must_alloc(size_t size)
{
    void *p = calloc(1, MAX(size, (size_t)1));
    if (p == NULL) {
        panic("out of memory asking for %zu bytes", size);
    }
    return p;
}

char *mem_must_strdup(const char *s)
{
    size_t size = strlen(s) + 1;
    char *copy = mem_must_alloc(size);
    memcpy(copy, s, size);
    return copy;
}

void mem_free(void *p)
{
    free(p);
}

void mem_wipe(void *p, size_t size)
{
    if (size > 0) {
        explicit_bzero(p, size);
    }
}

void mem_free_secret(char *s)
{
    if (s != NULL) {
        mem_wipe(s, strlen(s));
    }
    mem_free(s);
}

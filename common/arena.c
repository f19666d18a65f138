/* The arena of common/mem.h: a list of blocks, each larger than the one before. */
#include <stdalign.h>
#include <string.h>

#include "common/mem.h"

#define ALIGNMENT alignof(max_align_t)
#define SMALLEST_BLOCK 256u

struct block {
    struct block *older;
    size_t size; /* of bytes[] */
    size_t used;
    alignas(max_align_t) unsigned char bytes[];
};

struct arena {
    struct block *newest;
    size_t held;
};

static struct block *add_block(struct arena *a, size_t size)
{
    struct block *b = size > SIZE_MAX / 2 ? NULL : mem_alloc(sizeof(*b) + size);
    if (b == NULL) {
        return NULL;
    }
    b->size = size;
    b->older = a->newest;
    a->newest = b;
    a->held += sizeof(*b) + size;
    return b;
}

struct arena *arena_new(size_t first_block)
{
    struct arena *a = mem_alloc(sizeof(*a));
    if (a == NULL) {
        return NULL;
    }
    a->held = sizeof(*a);
    if (add_block(a, MAX(first_block, (size_t)SMALLEST_BLOCK)) == NULL) {
        mem_free(a);
        return NULL;
    }
    return a;
}

void *arena_alloc(struct arena *a, size_t size)
{
    if (size > SIZE_MAX / 4) {
        return NULL;
    }
    size_t rounded = (MAX(size, (size_t)1) + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    struct block *b = a->newest;
    if (b->size - b->used < rounded) {
        b = add_block(a, MAX(rounded, b->size * 2));
        if (b == NULL) {
            return NULL;
        }
    }
    void *p = b->bytes + b->used;
    b->used += rounded;
    return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
    char *copy = len == SIZE_MAX ? NULL : arena_alloc(a, len + 1);
    if (copy != NULL && len > 0) {
        memcpy(copy, s, len);
    }
    return copy;
}

void *arena_memdup(struct arena *a, const void *p, size_t len)
{
    void *copy = arena_alloc(a, len);
    if (copy != NULL && len > 0) {
        memcpy(copy, p, len);
    }
    return copy;
}

size_t arena_size(const struct arena *a)
{
    return a->held;
}

void arena_free(struct arena *a)
{
    if (a == NULL) {
        return;
    }
    struct block *b = a->newest;
    while (b != NULL) {
        struct block *older = b->older;
        mem_free(b);
        b = older;
    }
    mem_free(a);
}

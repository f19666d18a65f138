/*
 * Memory: allocation that can fail or be made to fail in tests, and an arena a job.
 * Everything of ours allocates through here; a failed allocation is an ordinary TEMP error where
 * outside bytes decide the size, and `mem_must_*` panics with one sentence where they do not.
 */
#ifndef SENDCODE_COMMON_MEM_H
#define SENDCODE_COMMON_MEM_H

#include "common/base.h"

NODISCARD void *mem_alloc(size_t size);           /* zeroed; NULL when there is none */
NODISCARD void *mem_resize(void *p, size_t size); /* NULL when there is none; p stays valid then */
NODISCARD void *mem_must_alloc(size_t size);      /* zeroed; panics when there is none */
NODISCARD char *mem_must_strdup(const char *s);
void mem_free(void *p);              /* p may be NULL */
void mem_wipe(void *p, size_t size); /* overwrites; not optimised away */
void mem_free_secret(char *s);       /* a text, overwritten first; NULL is fine */

/* Test hook: the n-th mem_alloc or mem_resize from now fails (0: none does). */
void mem_fail_after(size_t n);

/* Bump allocator; everything in it dies together. Not resizable pieces, no destructor. */
struct arena;
NODISCARD struct arena *arena_new(size_t first_block);     /* NULL when there is no memory */
NODISCARD void *arena_alloc(struct arena *a, size_t size); /* zeroed, aligned; NULL when none */
NODISCARD char *arena_strndup(struct arena *a, const char *s, size_t len); /* NUL-terminated copy */
NODISCARD void *arena_memdup(struct arena *a, const void *p, size_t len);
size_t arena_size(const struct arena *a); /* bytes held, for bounds */
void arena_free(struct arena *a);         /* a may be NULL */

#endif

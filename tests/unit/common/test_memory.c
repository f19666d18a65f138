/* Errors, memory, arena and buffer: what stays true when there is no memory. */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/mem.h"
#include "common/text.h"
#include "tests/check.h"

static void the_nth_allocation_fails_and_only_that(void **state)
{
    (void)state;
    mem_fail_after(2);
    void *first = mem_alloc(1);
    void *second = mem_alloc(1);
    void *third = mem_alloc(1);
    assert_non_null(first);
    assert_null(second);
    assert_non_null(third);
    mem_fail_after(1);
    assert_null(mem_resize(first, 100));
    mem_free(first);
    mem_free(third);
}

static void an_arena_gives_zeroed_aligned_pieces(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    assert_non_null(a);
    char *last = NULL;
    for (size_t size = 0; size < 2000; size += 7) {
        char *p = arena_alloc(a, size);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++) {
            assert_int_equal(p[i], 0);
            p[i] = 'x';
        }
        assert_ptr_not_equal(p, last);
        last = p;
    }
    assert_string_equal(arena_strndup(a, "hello", 4), "hell");
    assert_string_equal(arena_strndup(a, "", 0), "");
    assert_memory_equal(arena_memdup(a, "a\0b", 3), "a\0b", 3);
    assert_true(arena_size(a) > 2000);
    arena_free(a);
    arena_free(NULL);
}

static void an_arena_without_memory_says_so_and_lives_on(void **state)
{
    (void)state;
    mem_fail_after(1);
    assert_null(arena_new(100));
    mem_fail_after(2);
    assert_null(arena_new(100));
    struct arena *a = arena_new(100);
    size_t before = arena_size(a);
    mem_fail_after(1);
    assert_null(arena_alloc(a, 100000));
    assert_null(arena_alloc(a, SIZE_MAX));
    assert_null(arena_alloc(a, SIZE_MAX / 2));
    assert_null(arena_strndup(a, "", SIZE_MAX));
    assert_int_equal(arena_size(a), before);
    assert_non_null(arena_alloc(a, 100000));
    arena_free(a);
}

static void a_buffer_grows_and_stays_terminated(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    assert_string_equal(buf_text(&b), "");
    buf_add(&b, NULL, 0);
    buf_add_text(&b, "one");
    buf_add_char(&b, ' ');
    buf_add_fmt(&b, "%d %s", 2, "three");
    buf_add_hex(&b, "\x00\xffz", 3);
    assert_string_equal(buf_text(&b), "one 2 three00ff7a");
    assert_int_equal(b.len, strlen(buf_text(&b)));
    buf_clear(&b);
    assert_string_equal(buf_text(&b), "");
    for (int i = 0; i < 5000; i++) {
        buf_add_fmt(&b, "%04d,", i);
        assert_int_equal(b.data[b.len], '\0');
    }
    assert_int_equal(b.len, 25000);
    assert_memory_equal(b.data + 24990, "4998,4999,", 10);
    assert_false(b.failed);
    buf_wipe(&b);
    assert_string_equal(buf_text(&b), "");
}

static void a_format_longer_than_the_room_is_written_whole(void **state)
{
    (void)state;
    for (int width = 100; width < 300; width++) {
        struct buf b = BUF_INIT;
        buf_add_text(&b, "x");
        buf_add_fmt(&b, "%*d", width, 7);
        assert_int_equal(b.len, (size_t)width + 1);
        assert_int_equal(b.data[b.len - 1], '7');
        buf_free(&b);
    }
}

static void a_bound_or_no_memory_fails_the_buffer_for_good(void **state)
{
    (void)state;
    struct buf b = {.max = 10};
    buf_add_text(&b, "0123456789");
    assert_false(b.failed);
    buf_add_char(&b, 'x');
    assert_true(b.failed);
    assert_string_equal(buf_text(&b), "0123456789");
    buf_clear(&b);
    buf_add_fmt(&b, "%020d", 1);
    assert_true(b.failed);
    assert_string_equal(buf_text(&b), "");
    buf_add_text(&b, "x");
    assert_string_equal(buf_text(&b), "");
    buf_free(&b);

    struct buf c = BUF_INIT;
    mem_fail_after(1);
    buf_add_text(&c, "x");
    assert_true(c.failed);
    assert_string_equal(buf_text(&c), "");
    buf_free(&c);
}

static void an_error_is_one_sentence_on_one_line(void **state)
{
    (void)state;
    struct err e = {0};
    assert_int_equal(err_set(&e, ERR_TEMP, 5, "line %d\nline %s\n", 1, "2"), -1);
    assert_int_equal(e.class, ERR_TEMP);
    assert_int_equal(e.code, 5);
    assert_string_equal(e.text, "line 1 line 2");
    assert_int_equal(err_wrap(&e, "while %s", "testing"), -1);
    assert_string_equal(e.text, "while testing: line 1 line 2");
    assert_int_equal(e.class, ERR_TEMP);
    err_set(&e, ERR_PERM, 0, "again: %s", e.text);
    assert_string_equal(e.text, "again: while testing: line 1 line 2");
    assert_int_equal(err_set(NULL, ERR_BUG, 0, "nobody listens"), -1);
    assert_int_equal(err_wrap(NULL, "nobody listens"), -1);
}

static void an_error_longer_than_its_room_is_cut(void **state)
{
    (void)state;
    struct err e;
    err_set(&e, ERR_PERM, 0, "%0600d", 1);
    assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
    err_wrap(&e, "context");
    assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
    assert_memory_equal(e.text, "context: 000", 12);
    for (int shift = 0; shift < 3; shift++) {
        err_set(&e, ERR_PERM, 0, "%0*d%s", (int)sizeof(e.text) - 3 + shift, 1, "\xe4\xb8\xad");
        assert_true(text_is_utf8(e.text, strlen(e.text)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nth_allocation_fails_and_only_that),
        cmocka_unit_test(an_arena_gives_zeroed_aligned_pieces),
        cmocka_unit_test(an_arena_without_memory_says_so_and_lives_on),
        cmocka_unit_test(a_buffer_grows_and_stays_terminated),
        cmocka_unit_test(a_format_longer_than_the_room_is_written_whole),
        cmocka_unit_test(a_bound_or_no_memory_fails_the_buffer_for_good),
        cmocka_unit_test(an_error_is_one_sentence_on_one_line),
        cmocka_unit_test(an_error_longer_than_its_room_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

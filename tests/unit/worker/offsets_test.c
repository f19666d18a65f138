/* The offset tracker: only a prefix of finished records is ever committed. */
#include <stdlib.h>

#include "tests/check.h"
#include "worker/offsets.h"

static void position_waits_for_the_lowest_unfinished(void **state)
{
    struct offsets o = {0};
    struct offset_mark m[3] = {0};
    (void)state;
    offsets_begin(&o, &m[0], 10, 11);
    offsets_begin(&o, &m[1], 11, 15);
    offsets_begin(&o, &m[2], 15, 16);
    assert_int_equal(offsets_position(&o), 10);
    offsets_done(&o, &m[1]);
    assert_int_equal(offsets_position(&o), 10);
    offsets_done(&o, &m[0]);
    assert_int_equal(offsets_position(&o), 15);
    offsets_done(&o, &m[2]);
    assert_int_equal(offsets_position(&o), 16);
}

static void finishing_twice_is_finishing_once(void **state)
{
    struct offsets o = {0};
    struct offset_mark m[2] = {0};
    (void)state;
    offsets_begin(&o, &m[0], 0, 1);
    offsets_begin(&o, &m[1], 1, 2);
    offsets_done(&o, &m[0]);
    offsets_done(&o, &m[0]);
    assert_int_equal(offsets_position(&o), 1);
}

/* Against the obvious model: an array of flags. */
static void any_order_of_finishing_gives_the_lowest_unfinished(void **state)
{
    enum { N = 200 };
    (void)state;
    srand(4711);
    for (int round = 0; round < 50; round++) {
        struct offsets o = {0};
        struct offset_mark m[N] = {0};
        bool done[N] = {false};
        for (int i = 0; i < N; i++)
            offsets_begin(&o, &m[i], i, i + 1);
        for (int step = 0; step < 3 * N; step++) {
            int i = rand() % N;
            offsets_done(&o, &m[i]);
            done[i] = true;
            int lowest = 0;
            while (lowest < N && done[lowest])
                lowest++;
            assert_int_equal(offsets_position(&o), lowest);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(position_waits_for_the_lowest_unfinished),
        cmocka_unit_test(finishing_twice_is_finishing_once),
        cmocka_unit_test(any_order_of_finishing_gives_the_lowest_unfinished),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

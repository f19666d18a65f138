/* Partitions, epochs, gaps, and logs that begin again. */
#include "tests/check.h"
#include "worker/ownership.h"

static struct partition *owned(struct ownership *o, int32_t id, int64_t next_offset)
{
    struct epoch_ask asks[4];
    ownership_add(o, id);
    (void)ownership_wanted(o, 0, asks, ARRAY_LEN(asks));
    const struct epoch_answer a = {.partition = id, .epoch = 5, .next_offset = next_offset};
    return ownership_on_epoch(o, &a);
}

static void drop_all(struct ownership *o)
{
    while (o->partitions)
        ownership_remove(o, o->partitions);
}

static void every_new_partition_wants_an_epoch_once(void **state)
{
    struct ownership o = {0};
    struct epoch_ask asks[4];
    (void)state;
    ownership_add(&o, 3);
    ownership_add(&o, 3);
    ownership_add(&o, 4);
    assert_int_equal(ownership_wanted(&o, 0, asks, 4), 2);
    owned(&o, 3, 0);
    assert_int_equal(ownership_wanted(&o, 0, asks, 4), 1);
    assert_int_equal(asks[0].partition, 4);
    drop_all(&o);
}

static void answer_for_a_partition_that_is_gone_is_nothing(void **state)
{
    struct ownership o = {0};
    const struct epoch_answer a = {.partition = 9, .epoch = 1};
    (void)state;
    assert_null(ownership_on_epoch(&o, &a));
}

static void answer_from_before_a_partition_was_won_again_is_nothing(void **state)
{
    struct ownership o = {0};
    struct epoch_ask ask;
    const struct epoch_answer a = {.partition = 9, .epoch = 1};
    (void)state;
    ownership_add(&o, 9);
    assert_int_equal(ownership_wanted(&o, 0, &ask, 1), 1);
    ownership_remove(&o, ownership_get(&o, 9));
    ownership_add(&o, 9);
    ownership_get(&o, 9)->restarted = true;
    assert_null(ownership_on_epoch(&o, &a));
    assert_int_equal(ownership_wanted(&o, 0, &ask, 1), 1);
    assert_true(ask.restarted);
    assert_non_null(ownership_on_epoch(&o, &a));
    drop_all(&o);
}

static void fenced_partition_pauses_before_its_next_epoch(void **state)
{
    struct ownership o = {0};
    struct epoch_ask ask;
    (void)state;
    struct partition *p = owned(&o, 0, 0);
    ownership_on_fenced(p, 4, 1000); /* of an older epoch: nothing */
    assert_int_equal(ownership_wanted(&o, 1000, &ask, 1), 0);
    assert_int_equal(ownership_next_us(&o, 1000), -1);
    ownership_on_fenced(p, 5, 1000);
    assert_int_equal(ownership_wanted(&o, 1000, &ask, 1), 0);
    int64_t wait = ownership_next_us(&o, 1000);
    assert_in_range(wait, 1, 10 * US_PER_S);
    assert_int_equal(ownership_wanted(&o, 1000 + wait, &ask, 1), 1);
    drop_all(&o);
}

static void gaps_are_seen_within_and_between_tenures(void **state)
{
    static const struct {
        int64_t next_offset, offset;
        bool gap;
    } firsts[] = {
        {0, 0, false},
        {0, 7, false}, /* nothing was ever met: the log may begin anywhere */
        {5, 5, false},
        {5, 3, false}, /* delivered again */
        {5, 8, true },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(firsts); i++) {
        struct ownership o = {0};
        int64_t start = -1;
        struct partition *p = owned(&o, 0, firsts[i].next_offset);
        const struct record rec = {.offset = firsts[i].offset, .log_end = 100};
        assert_int_equal(ownership_met(p, &rec, &start), firsts[i].gap);
        if (firsts[i].gap)
            assert_int_equal(start, firsts[i].next_offset);
        drop_all(&o);
    }
}

static void log_that_ends_below_what_was_met_began_again(void **state)
{
    struct ownership o = {0};
    struct epoch_ask ask;
    int64_t start;
    (void)state;
    struct partition *p = owned(&o, 0, 100);
    const struct record rec = {.offset = 0, .log_end = 3};
    assert_false(ownership_met(p, &rec, &start));
    assert_int_equal(p->epoch, 0);
    assert_int_equal(ownership_wanted(&o, 0, &ask, 1), 1);
    assert_true(ask.restarted);
    drop_all(&o);
}

static void only_progress_is_committed(void **state)
{
    struct ownership o = {0};
    struct source_offset out[2];
    struct offset_mark m = {0};
    int64_t start;
    (void)state;
    struct partition *p = owned(&o, 0, 0);
    assert_int_equal(ownership_to_commit(&o, out, 2), 0);
    const struct record rec = {.offset = 6, .log_end = 7};
    assert_false(ownership_met(p, &rec, &start));
    offsets_begin(&p->offsets, &m, 6, 7);
    offsets_done(&p->offsets, &m);
    assert_int_equal(ownership_to_commit(&o, out, 2), 1);
    assert_int_equal(out[0].offset, 7);
    ownership_on_committed(&o, out, 1);
    assert_int_equal(ownership_to_commit(&o, out, 2), 0);
    drop_all(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_new_partition_wants_an_epoch_once),
        cmocka_unit_test(answer_for_a_partition_that_is_gone_is_nothing),
        cmocka_unit_test(answer_from_before_a_partition_was_won_again_is_nothing),
        cmocka_unit_test(fenced_partition_pauses_before_its_next_epoch),
        cmocka_unit_test(gaps_are_seen_within_and_between_tenures),
        cmocka_unit_test(log_that_ends_below_what_was_met_began_again),
        cmocka_unit_test(only_progress_is_committed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

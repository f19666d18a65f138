/* At most once: what is marked, put back, unmarked and counted when Kafka or PostgreSQL fails. */
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/mem.h"
#include "common/settings/settings.h"
#include "ctl/ctl.h"
#include "ctl/kafka_letters.h"
#include "ctl/replay_batch.h"
#include "tests/check.h"

#define N 4

static const struct ctl ctl = {.command = "replay", .help = ""};
static char jobs_topic[] = "jobs";
static struct settings settings;

/* The two services: what they hold, and how they are to fail. */
static struct {
    bool marked[N];  /* by the letter's offset */
    int put_back[N]; /* how often */
    enum put answers[N];
    bool mark_fails, clear_fails;
    int freed;
} world;

static int be_away(struct err *e)
{
    return err_set(e, ERR_TEMP, 0, "PostgreSQL is not reachable");
}

int replay_marks_find(const struct replay_marks *m, struct letter *const *letters, size_t n,
                      bool *marked, struct err *e)
{
    (void)m;
    (void)e;
    for (size_t i = 0; i < n; i++)
        marked[i] = world.marked[letters[i]->offset];
    return 0;
}

int replay_marks_set(const struct replay_marks *m, struct letter *const *letters, size_t n,
                     bool force, bool *marked, struct err *e)
{
    (void)m;
    if (world.mark_fails)
        return be_away(e);
    for (size_t i = 0; i < n; i++) {
        marked[i] = force || !world.marked[letters[i]->offset];
        world.marked[letters[i]->offset] = true;
    }
    return 0;
}

int replay_marks_clear(const struct replay_marks *m, struct letter *const *letters, size_t n,
                       struct err *e)
{
    (void)m;
    if (world.clear_fails)
        return be_away(e);
    for (size_t i = 0; i < n; i++)
        world.marked[letters[i]->offset] = false;
    return 0;
}

void kafka_replay_put(struct kafka_replay *k, struct letter *const *letters, size_t n,
                      enum put *puts)
{
    (void)k;
    for (size_t i = 0; i < n; i++) {
        assert_true(world.marked[letters[i]->offset]); /* before, not after */
        puts[i] = world.answers[letters[i]->offset];
        world.put_back[letters[i]->offset] += puts[i] == PUT_DONE;
    }
}

const char *kafka_replay_why(const struct kafka_replay *k)
{
    (void)k;
    return "it is away";
}

void kafka_letter_free(struct letter *l)
{
    world.freed++;
    mem_free(l);
}

static struct letter *letter_new(int64_t offset, const char *topic, const char *value)
{
    static struct letter_header headers[] = {
        {"sendcode-error",     "v is not 1",           10},
        {"sendcode-topic",     NULL,                   0 },
        {"sendcode-partition", "0",                    1 },
        {"sendcode-offset",    "0",                    1 },
        {"sendcode-at",        "2026-11-24T00:00:00Z", 20},
    };
    struct letter *l = mem_must_alloc(sizeof *l);

    headers[1].value = topic;
    headers[1].len = strlen(topic);
    *l = (struct letter){.offset = offset,
                         .value = value,
                         .value_len = strlen(value),
                         .headers = headers,
                         .n_headers = ARRAY_LEN(headers)};
    return l;
}

static const struct replay_wish every = {
    .filter = {NULL, INT64_MIN, INT64_MAX, -1}
};
static const struct replay_wish forced = {
    .filter = {NULL, INT64_MIN, INT64_MAX, -1},
      .force = true
};
static const struct replay_wish fresh = {
    .filter = {NULL, INT64_MIN, INT64_MAX, -1},
      .fresh = true
};

static struct replay_batch *batch_new(const struct replay_wish *wish, bool dry)
{
    static int producer; /* only its address counts */
    struct replay_batch *b = mem_must_alloc(sizeof *b);

    settings.topics.jobs = jobs_topic;
    *b = (struct replay_batch){.ctl = &ctl,
                               .settings = &settings,
                               .wish = wish,
                               .to = dry ? NULL : (struct kafka_replay *)&producer};
    for (int i = 0; i < N; i++)
        replay_batch_take(b, letter_new(i, "jobs", "{}"));
    assert_int_equal(b->n, N);
    return b;
}

static void batch_free(struct replay_batch *b)
{
    replay_batch_drop(b);
    replay_report_free(&b->report);
    mem_free(b);
}

static int begin(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    return 0;
}

static void a_batch_is_marked_then_put_back_and_not_again(void **state)
{
    struct replay_batch *b = batch_new(&every, false);
    struct replay_batch *again = batch_new(&every, false);

    (void)state;
    assert_int_equal(replay_batch_settle(b), EXIT_DONE);
    assert_int_equal(replay_batch_settle(again), EXIT_DONE);
    for (int i = 0; i < N; i++)
        assert_int_equal(world.put_back[i], 1);
    assert_int_equal(b->report.put, N);
    assert_int_equal(again->report.put, 0);
    assert_int_equal(again->report.left[LEFT_REPLAYED], N);
    assert_int_equal(world.freed, 2 * N);
    batch_free(b);
    batch_free(again);
}

static void force_puts_back_again(void **state)
{
    struct replay_batch *b = batch_new(&forced, false);

    (void)state;
    world.marked[1] = true;
    assert_int_equal(replay_batch_settle(b), EXIT_DONE);
    assert_int_equal(b->report.put, N);
    assert_int_equal(world.put_back[1], 1);
    batch_free(b);
}

static void a_dry_run_changes_nothing(void **state)
{
    struct replay_batch *b = batch_new(&every, true);

    (void)state;
    world.marked[2] = true;
    assert_int_equal(replay_batch_settle(b), EXIT_DONE);
    assert_int_equal(b->report.put, N - 1);
    assert_int_equal(b->report.left[LEFT_REPLAYED], 1);
    for (int i = 0; i < N; i++) {
        assert_int_equal(world.put_back[i], 0);
        assert_int_equal(world.marked[i], i == 2);
    }
    batch_free(b);
}

static void what_certainly_was_not_put_back_is_unmarked_what_perhaps_was_is_not(void **state)
{
    struct replay_batch *b = batch_new(&every, false);

    (void)state;
    world.answers[1] = PUT_NOT;
    world.answers[2] = PUT_UNSURE;
    world.answers[3] = PUT_TOO_LARGE;
    assert_int_equal(replay_batch_settle(b), EXIT_UNREACHABLE);
    assert_true(world.marked[0]);
    assert_false(world.marked[1]);
    assert_true(world.marked[2]);
    assert_false(world.marked[3]);
    assert_int_equal(b->report.put, 1);
    assert_int_equal(b->report.lost, 1);
    assert_int_equal(b->report.left[LEFT_TOO_LARGE], 1);
    assert_int_equal(b->n, 0);
    batch_free(b);
}

static void one_that_is_too_large_stops_nothing(void **state)
{
    struct replay_batch *b = batch_new(&every, false);

    (void)state;
    world.answers[3] = PUT_TOO_LARGE;
    assert_int_equal(replay_batch_settle(b), EXIT_DONE);
    assert_int_equal(b->report.put, N - 1);
    batch_free(b);
}

static void nothing_is_put_back_when_the_marks_cannot_be_had(void **state)
{
    struct replay_batch *b = batch_new(&every, false);

    (void)state;
    world.mark_fails = true;
    assert_int_equal(replay_batch_settle(b), EXIT_UNREACHABLE);
    for (int i = 0; i < N; i++)
        assert_int_equal(world.put_back[i], 0);
    assert_int_equal(b->report.lost, N); /* the marks may be there */
    batch_free(b);
    assert_int_equal(world.freed, N);
}

static void a_mark_that_cannot_be_taken_back_is_told(void **state)
{
    struct replay_batch *b = batch_new(&every, false);

    (void)state;
    world.answers[1] = PUT_NOT;
    world.clear_fails = true;
    assert_int_equal(replay_batch_settle(b), EXIT_UNREACHABLE);
    assert_int_equal(b->report.put, N - 1);
    assert_int_equal(b->report.lost, 1);
    batch_free(b);
}

static void letters_that_cannot_be_put_back_are_counted(void **state)
{
    struct replay_batch *b = batch_new(&fresh, false);

    (void)state;
    replay_batch_take(b, letter_new(0, "others", "{}"));
    replay_batch_take(b, letter_new(0, "jobs", "no object"));
    assert_int_equal(b->n, N);
    assert_int_equal(b->report.left[LEFT_ELSEWHERE], 1);
    assert_int_equal(b->report.left[LEFT_UNREADABLE], 1);
    assert_non_null(strstr(b->letters[0]->value, "requested_at"));
    batch_free(b);
    assert_int_equal(world.freed, N + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_batch_is_marked_then_put_back_and_not_again, begin),
        cmocka_unit_test_setup(force_puts_back_again, begin),
        cmocka_unit_test_setup(a_dry_run_changes_nothing, begin),
        cmocka_unit_test_setup(what_certainly_was_not_put_back_is_unmarked_what_perhaps_was_is_not,
                               begin),
        cmocka_unit_test_setup(one_that_is_too_large_stops_nothing, begin),
        cmocka_unit_test_setup(nothing_is_put_back_when_the_marks_cannot_be_had, begin),
        cmocka_unit_test_setup(a_mark_that_cannot_be_taken_back_is_told, begin),
        cmocka_unit_test_setup(letters_that_cannot_be_put_back_are_counted, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What enqueue --wait makes of events: out of order, repeated, of other jobs, or none at all. */
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "ctl/ctl.h"
#include "ctl/draft.h"
#include "ctl/follow.h"
#include "ctl/kafka_events.h"
#include "tests/check.h"

static const struct ctl ctl = {.command = "enqueue", .help = ""};

/* The events to come; after them the clock runs a second with each question. */
static const char *const *events;
static int64_t wall_us;

struct json *kafka_events_next(struct kafka_events *ev, int timeout_ms)
{
    const struct json_limits limits = {.max_depth = 8};

    (void)ev;
    (void)timeout_ms;
    if (*events) {
        const char *text = *events++;
        return json_parse(text, strlen(text), &limits, NULL);
    }
    wall_us += US_PER_S;
    return NULL;
}

static int64_t fake_wall_us(void)
{
    return wall_us;
}

static int64_t fake_boot_us(void)
{
    return wall_us;
}

static int follow(const char *const *come, size_t n_jobs)
{
    static const struct clock_source source = {.boot_us = fake_boot_us, .wall_us = fake_wall_us};
    struct draft items[] = {
        {.job_id = "a", .phone = "+8613800138000", .deadline_us = US_PER_S},
        {.job_id = "b", .phone = "+8613800138001", .deadline_us = US_PER_S}
    };
    const struct draft_list jobs = {.items = items, .n = n_jobs};

    events = come;
    wall_us = 0;
    clock_set_source(&source);
    int code = follow_jobs(&ctl, NULL, &jobs);
    clock_set_source(NULL);
    return code;
}

#define EVENT(id, seq, state)                                                                      \
    "{\"v\":1,\"job_id\":\"" id "\",\"seq\":" #seq ",\"state\":\"" state                           \
    "\",\"at\":\"2026-11-22T08:00:00.123Z\"}"

static void sent_and_delivered_are_a_good_end(void **state)
{
    static const char *const come[] = {EVENT("a", 2, "sent"), EVENT("b", 3, "delivered"), NULL};

    (void)state;
    assert_int_equal(follow(come, 2), EXIT_DONE);
    assert_int_equal(wall_us, 0);
}

static void any_other_end_is_a_no(void **state)
{
    static const char *const ends[] = {
        EVENT("a", 2, "undelivered"), EVENT("a", 2, "rejected"), EVENT("a", 2, "limited"),
        EVENT("a", 2, "superseded"),  EVENT("a", 2, "expired"),  EVENT("a", 2, "unknown"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        const char *const come[] = {ends[i], NULL};
        assert_int_equal(follow(come, 1), EXIT_NO);
        assert_int_equal(wall_us, 0);
    }
}

static void it_goes_on_through_states_that_are_no_end(void **state)
{
    static const char *const come[] = {EVENT("a", 2, "retry"), EVENT("a", 4, "in_doubt"),
                                       EVENT("a", 5, "sent"), NULL};

    (void)state;
    assert_int_equal(follow(come, 1), EXIT_DONE);
}

static void an_older_event_that_comes_late_changes_nothing(void **state)
{
    static const char *const come[] = {EVENT("a", 4, "sent"), EVENT("a", 2, "retry"),
                                       EVENT("b", 2, "sent"), NULL};

    (void)state;
    assert_int_equal(follow(come, 2), EXIT_DONE);
}

static void other_jobs_and_odd_events_are_passed_over(void **state)
{
    static const char *const come[] = {
        EVENT("z", 2, "rejected"), "{}", "[]", "{\"job_id\":\"a\"}", EVENT("a", 2, "nonsense"),
        EVENT("a", 2, "sent"),     NULL};

    (void)state;
    assert_int_equal(follow(come, 1), EXIT_DONE);
}

static void it_gives_up_a_minute_after_the_deadline(void **state)
{
    static const char *const come[] = {EVENT("a", 2, "retry"), NULL};

    (void)state;
    assert_int_equal(follow(come, 1), EXIT_NO);
    assert_int_equal(wall_us, 61 * US_PER_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sent_and_delivered_are_a_good_end),
        cmocka_unit_test(any_other_end_is_a_no),
        cmocka_unit_test(it_goes_on_through_states_that_are_no_end),
        cmocka_unit_test(an_older_event_that_comes_late_changes_nothing),
        cmocka_unit_test(other_jobs_and_odd_events_are_passed_over),
        cmocka_unit_test(it_gives_up_a_minute_after_the_deadline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

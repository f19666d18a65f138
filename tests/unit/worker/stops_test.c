/* Stopped scenes and the stopped account: what passes, what is tried, what ends them. */
#include <string.h>

#include "common/buf.h"
#include "common/log.h"
#include "tests/check.h"
#include "worker/meters.h"
#include "worker/stops.h"

#define INTERVAL (15 * US_PER_S)

struct rig {
    struct meters meters;
    struct stops stops;
};

static void set_up(struct rig *r)
{
    log_set_level(LOG_FATAL);
    meters_init(&r->meters);
    stops_init(&r->stops, &r->meters, INTERVAL);
}

static void tear_down(struct rig *r)
{
    stops_free(&r->stops);
    meters_free(&r->meters);
}

static void refuse(struct stops *s, const char *scene, bool account, const char *reason,
                   int64_t now_us)
{
    const struct stop_cause cause = {.account = account, .reason = reason, .began_us = now_us};
    stops_on_refused(s, scene, &cause, now_us);
}

static void scene_is_tried_once_an_interval(void **state)
{
    struct rig r;
    (void)state;
    set_up(&r);
    assert_int_equal(stops_ask(&r.stops, "a", 0), STOP_GO);
    refuse(&r.stops, "a", false, "Bad.Template", 0);
    assert_int_equal(stops_ask(&r.stops, "a", 1), STOP_HOLD);
    assert_int_equal(stops_ask(&r.stops, "b", 1), STOP_GO);
    assert_int_equal(stops_ask(&r.stops, "a", INTERVAL), STOP_TRIAL);
    assert_int_equal(stops_ask(&r.stops, "a", INTERVAL), STOP_HOLD);
    stops_on_trial_over(&r.stops, "a", INTERVAL);
    assert_int_equal(stops_ask(&r.stops, "a", INTERVAL + 1), STOP_HOLD);
    assert_int_equal(stops_ask(&r.stops, "a", 2 * INTERVAL), STOP_TRIAL);
    assert_true(stops_on_answer(&r.stops, "a", true, 2 * INTERVAL));
    assert_int_equal(stops_ask(&r.stops, "a", 2 * INTERVAL), STOP_GO);
    tear_down(&r);
}

static void account_is_tried_only_after_a_good_probe(void **state)
{
    struct rig r;
    (void)state;
    set_up(&r);
    refuse(&r.stops, "a", true, "Arrears", 0);
    assert_true(stops_account_is_stopped(&r.stops));
    assert_true(stops_hold(&r.stops, "b"));
    assert_int_equal(stops_ask(&r.stops, "b", 100 * INTERVAL), STOP_HOLD);
    stops_on_probed(&r.stops, "AuthFailure", INTERVAL);
    assert_int_equal(stops_ask(&r.stops, "b", INTERVAL), STOP_HOLD);
    stops_on_probed(&r.stops, NULL, 2 * INTERVAL);
    assert_int_equal(stops_ask(&r.stops, "b", 2 * INTERVAL), STOP_TRIAL);
    assert_int_equal(stops_ask(&r.stops, "a", 2 * INTERVAL), STOP_HOLD);
    refuse(&r.stops, "b", true, "Arrears", 2 * INTERVAL);
    assert_int_equal(stops_ask(&r.stops, "a", 9 * INTERVAL), STOP_HOLD);
    tear_down(&r);
}

static void what_began_before_a_stop_does_not_end_it(void **state)
{
    struct rig r;
    (void)state;
    set_up(&r);
    refuse(&r.stops, "a", true, "Arrears", 100);
    refuse(&r.stops, "b", false, "Bad.Template", 200);
    assert_false(stops_on_answer(&r.stops, "b", true, 99));
    assert_true(stops_account_is_stopped(&r.stops));
    assert_true(stops_on_answer(&r.stops, "b", true, 150));
    assert_false(stops_account_is_stopped(&r.stops));
    assert_true(stops_hold(&r.stops, "b"));
    assert_false(stops_hold(&r.stops, "a"));
    assert_true(stops_on_answer(&r.stops, "b", true, 200));
    assert_false(stops_hold(&r.stops, "b"));
    tear_down(&r);
}

static void a_stop_that_is_refused_again_is_as_old_as_it_was(void **state)
{
    struct rig r;
    (void)state;
    set_up(&r);
    refuse(&r.stops, "a", false, "Bad.Template", 100);
    refuse(&r.stops, "a", false, "Bad.Sign", 300);
    assert_true(stops_on_answer(&r.stops, "a", false, 200));
    tear_down(&r);
}

static void what_began_before_a_good_answer_does_not_stop_again(void **state)
{
    struct rig r;
    (void)state;
    set_up(&r);
    const struct stop_cause late = {.account = true, .reason = "Arrears", .began_us = 99};
    assert_false(stops_on_answer(&r.stops, "a", true, 100));
    stops_on_refused(&r.stops, "b", &late, 500);
    assert_false(stops_account_is_stopped(&r.stops));
    refuse(&r.stops, "b", true, "Arrears", 501);
    assert_true(stops_account_is_stopped(&r.stops));
    tear_down(&r);
}

static void five_phones_in_a_row_are_a_fault_until_one_is_accepted(void **state)
{
    static const char *const phones[] = {"+8613800138001", "+8613800138002", "+8613800138003",
                                         "+8613800138004", "+8613800138005"};
    struct rig r;
    (void)state;
    set_up(&r);
    for (size_t i = 0; i < 4; i++) {
        assert_false(stops_on_number_refused(&r.stops, "a", phones[i], "X"));
        assert_false(stops_on_number_refused(&r.stops, "a", phones[i], "X")); /* the same phone */
    }
    assert_true(stops_on_number_refused(&r.stops, "a", phones[4], "X"));
    assert_true(stops_on_number_refused(&r.stops, "a", phones[0], "X"));
    assert_false(stops_on_answer(&r.stops, "a", true, 0));
    assert_false(stops_on_number_refused(&r.stops, "a", phones[0], "X"));
    for (size_t i = 1; i < 4; i++)
        assert_false(stops_on_number_refused(&r.stops, "a", phones[i], "X"));
    assert_false(stops_on_number_refused(&r.stops, "a", phones[4], "Y")); /* another refusal */
    tear_down(&r);
}

static void what_is_stopped_is_said_with_its_reason(void **state)
{
    struct rig r;
    struct buf why = BUF_INIT;
    (void)state;
    set_up(&r);
    stops_say(&r.stops, &why);
    assert_int_equal(why.len, 0);
    refuse(&r.stops, "a", false, "Bad.Template", 0);
    stops_say(&r.stops, &why);
    assert_non_null(strstr(buf_text(&why), "scene a"));
    assert_non_null(strstr(buf_text(&why), "Bad.Template"));
    assert_non_null(strstr(buf_text(&why), "docs/OPERATIONS.md"));
    buf_free(&why);
    tear_down(&r);
}

static bool is_login(void *arg, const char *scene)
{
    (void)arg;
    return strcmp(scene, "login") == 0;
}

static void reload_tries_what_is_configured_and_forgets_the_rest(void **state)
{
    struct rig r;
    struct buf why = BUF_INIT;
    (void)state;
    set_up(&r);
    refuse(&r.stops, "login", false, "A", 0);
    refuse(&r.stops, "gone", false, "B", 0);
    refuse(&r.stops, "", true, "C", 0);
    stops_on_reload(&r.stops, is_login, NULL, 1000);
    stops_say(&r.stops, &why);
    assert_null(strstr(buf_text(&why), "gone"));
    assert_non_null(strstr(buf_text(&why), "login"));
    assert_int_equal(stops_ask(&r.stops, "login", 1000), STOP_HOLD); /* by the account */
    stops_on_probed(&r.stops, NULL, 1000);
    assert_int_equal(stops_ask(&r.stops, "login", 1000), STOP_TRIAL);
    buf_free(&why);
    tear_down(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scene_is_tried_once_an_interval),
        cmocka_unit_test(account_is_tried_only_after_a_good_probe),
        cmocka_unit_test(what_began_before_a_stop_does_not_end_it),
        cmocka_unit_test(a_stop_that_is_refused_again_is_as_old_as_it_was),
        cmocka_unit_test(what_began_before_a_good_answer_does_not_stop_again),
        cmocka_unit_test(five_phones_in_a_row_are_a_fault_until_one_is_accepted),
        cmocka_unit_test(reload_tries_what_is_configured_and_forgets_the_rest),
        cmocka_unit_test(what_is_stopped_is_said_with_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

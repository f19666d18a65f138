/* A worker's share of the rate: what it lets go, when it says to ask again, what it demands. */
#include "tests/check.h"
#include "worker/rate_cap.h"

#define NOW (100 * US_PER_S)
#define VALID (NOW + 3 * US_PER_S)

static void without_a_rate_nothing_is_kept_back(void **state)
{
    struct rate_cap c = {0};
    (void)state;
    rate_cap_set_rate(&c, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(rate_cap_let(&c, 256, NOW), 256);
        rate_cap_take(&c, 256);
    }
}

static void nothing_goes_before_the_first_share(void **state)
{
    struct rate_cap c = {0};
    (void)state;
    rate_cap_set_rate(&c, 100);
    assert_int_equal(rate_cap_let(&c, 5, NOW), 0);
    assert_int_equal(rate_cap_wait_us(&c, 5), -1);
}

/* Claims as fast as it lets them, in steps of 1 ms; how many in that time. */
static size_t claim_for(struct rate_cap *c, int64_t from_us, int64_t until_us, size_t wanted)
{
    size_t n = 0;
    for (int64_t at = from_us; at < until_us; at += US_PER_MS) {
        size_t some = rate_cap_let(c, wanted, at);
        rate_cap_take(c, some);
        n += some;
    }
    return n;
}

static void no_second_has_more_than_the_share_and_its_burst(void **state)
{
    static const int64_t shares[] = {1, 7, 50, 1500, 3000};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(shares); i++) {
        struct rate_cap c = {0};
        int64_t share = shares[i];
        rate_cap_set_rate(&c, 3000);
        rate_cap_on_share(&c, share, NOW + 100 * US_PER_S, NOW);
        size_t idle = rate_cap_let(&c, 0, NOW + 50 * US_PER_S); /* saves up no more than a burst */
        size_t n = claim_for(&c, NOW + 50 * US_PER_S, NOW + 51 * US_PER_S, 256);
        assert_int_equal(idle, 0);
        assert_true(n <= (size_t)(share + MAX(share / 10, 1)));
        n = claim_for(&c, NOW + 51 * US_PER_S, NOW + 61 * US_PER_S, 256);
        assert_true(n <= (size_t)(10 * share + MAX(share / 10, 1)));
        assert_true(n >= (size_t)(10 * share - MAX(share / 10, 1)));
    }
}

static void at_the_cap_claims_come_in_batches(void **state)
{
    struct rate_cap c = {0};
    (void)state;
    rate_cap_set_rate(&c, 3000);
    rate_cap_on_share(&c, 1000, VALID, NOW);
    assert_int_equal(rate_cap_let(&c, 64, NOW + 9 * US_PER_MS), 0);
    assert_int_equal(rate_cap_wait_us(&c, 64), US_PER_MS);
    assert_int_equal(rate_cap_let(&c, 64, NOW + 10 * US_PER_MS), 10);
    rate_cap_take(&c, 10);
    assert_int_equal(rate_cap_let(&c, 2, NOW + 11 * US_PER_MS), 0);
    assert_int_equal(rate_cap_wait_us(&c, 2), US_PER_MS); /* who alone is there waits for one */
    assert_int_equal(rate_cap_let(&c, 2, NOW + 12 * US_PER_MS), 2);
}

static void a_lapsed_share_gives_nothing_until_the_next(void **state)
{
    struct rate_cap c = {0};
    (void)state;
    rate_cap_set_rate(&c, 100);
    rate_cap_on_share(&c, 100, VALID, NOW);
    assert_int_equal(rate_cap_share(&c, VALID - 1), 100);
    assert_int_equal(rate_cap_let(&c, 5, VALID - 1), 5);
    assert_int_equal(rate_cap_let(&c, 5, VALID), 0);
    assert_int_equal(rate_cap_wait_us(&c, 5), -1);
    assert_int_equal(rate_cap_share(&c, VALID), 0);
    rate_cap_on_share(&c, 100, VALID + 10 * US_PER_S, VALID + US_PER_S);
    assert_int_equal(rate_cap_let(&c, 5, VALID + US_PER_S), 0); /* what was saved up is lost */
    assert_int_equal(rate_cap_let(&c, 5, VALID + 2 * US_PER_S), 5);
}

static void a_smaller_share_holds_at_once(void **state)
{
    struct rate_cap c = {0};
    (void)state;
    rate_cap_set_rate(&c, 1000);
    rate_cap_on_share(&c, 1000, VALID, NOW);
    assert_int_equal(rate_cap_let(&c, 0, NOW + US_PER_S), 0);
    rate_cap_on_share(&c, 10, VALID, NOW + US_PER_S);
    assert_int_equal(rate_cap_let(&c, 64, NOW + US_PER_S), 1);
    rate_cap_set_rate(&c, 5); /* the operator lowered it; the share follows at once */
    assert_int_equal(rate_cap_share(&c, NOW + US_PER_S), 5);
}

static void what_was_not_sent_costs_nothing(void **state)
{
    struct rate_cap c = {0};
    (void)state;
    rate_cap_set_rate(&c, 10);
    rate_cap_on_share(&c, 10, VALID, NOW);
    assert_int_equal(rate_cap_let(&c, 1, NOW + US_PER_S), 1);
    rate_cap_take(&c, 1);
    assert_int_equal(rate_cap_let(&c, 1, NOW + US_PER_S), 0);
    rate_cap_give_back(&c);
    assert_int_equal(rate_cap_let(&c, 1, NOW + US_PER_S), 1);
    rate_cap_give_back(&c);
    assert_int_equal(rate_cap_let(&c, 9, NOW + US_PER_S), 1); /* no more than the burst */
}

static void demand_is_what_went_and_what_waited(void **state)
{
    struct rate_cap c = {0};
    (void)state;
    rate_cap_set_rate(&c, 100);
    assert_int_equal(rate_cap_beat(&c, NOW), 1); /* the first job need not wait for a beat */
    rate_cap_on_share(&c, 10, VALID, NOW);
    size_t n = claim_for(&c, NOW, NOW + US_PER_S, 8);
    int64_t demand = rate_cap_beat(&c, NOW + US_PER_S);
    assert_int_equal(demand, (int64_t)n + 8);
    assert_in_range(rate_cap_let(&c, 500, NOW + US_PER_S + 1), 0, 1);
    assert_int_equal(rate_cap_beat(&c, NOW + 2 * US_PER_S), 100); /* never more than there is */
    assert_int_equal(rate_cap_beat(&c, NOW + 3 * US_PER_S), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_rate_nothing_is_kept_back),
        cmocka_unit_test(nothing_goes_before_the_first_share),
        cmocka_unit_test(no_second_has_more_than_the_share_and_its_burst),
        cmocka_unit_test(at_the_cap_claims_come_in_batches),
        cmocka_unit_test(a_lapsed_share_gives_nothing_until_the_next),
        cmocka_unit_test(a_smaller_share_holds_at_once),
        cmocka_unit_test(what_was_not_sent_costs_nothing),
        cmocka_unit_test(demand_is_what_went_and_what_waited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

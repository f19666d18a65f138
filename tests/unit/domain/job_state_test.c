/* States and reasons: names both ways, and the moves that the contract allows, no others. */
#include <stdio.h>
#include <string.h>

#include "common/domain/job_state.h"
#include "tests/check.h"

/* Section 4 of the contract, written again: "from to", for decisions. */
static const char *const decisions[] = {
    "new claimed",       "new limited",      "new superseded",   "new expired",
    "claimed sent",      "claimed retry",    "claimed rejected", "claimed limited",
    "claimed expired",   "claimed in_doubt", "retry claimed",    "retry superseded",
    "retry limited",     "retry expired",    "in_doubt sent",    "in_doubt retry",
    "in_doubt rejected", "in_doubt limited", "in_doubt expired", "in_doubt unknown",
};

static bool is_decision(const char *from, const char *to)
{
    char move[64];
    snprintf(move, sizeof(move), "%s %s", from, to);
    for (size_t i = 0; i < ARRAY_LEN(decisions); i++)
        if (strcmp(decisions[i], move) == 0)
            return true;
    return false;
}

static bool is_fact(const char *from, const char *to)
{
    bool receipt = strcmp(to, "delivered") == 0 || strcmp(to, "undelivered") == 0;
    if (strcmp(from, "new") == 0 || strcmp(from, "delivered") == 0 ||
        strcmp(from, "undelivered") == 0)
        return false;
    return receipt || (strcmp(to, "sent") == 0 && strcmp(from, "sent") != 0);
}

static void the_moves_are_those_of_the_contract(void **state)
{
    (void)state;
    for (int from = JOB_NEW; from < JOB_STATE_COUNT; from++) {
        for (int to = JOB_NEW; to < JOB_STATE_COUNT; to++) {
            const char *a = job_state_to_text((enum job_state)from);
            const char *b = job_state_to_text((enum job_state)to);
            if (job_state_may_move(from, to, false) != is_decision(a, b))
                fail_msg("decision %s to %s", a, b);
            if (job_state_may_move(from, to, true) != is_fact(a, b))
                fail_msg("fact %s to %s", a, b);
        }
    }
}

static void no_decision_leaves_a_final_state(void **state)
{
    (void)state;
    for (int from = JOB_NEW + 1; from < JOB_STATE_COUNT; from++) {
        bool leaves = false;
        for (int to = JOB_NEW; to < JOB_STATE_COUNT; to++)
            leaves = leaves || job_state_may_move(from, to, false);
        assert_int_equal(leaves, !job_state_is_final(from));
    }
}

static void names_read_back(void **state)
{
    enum job_state s;
    enum job_reason r;
    (void)state;
    for (int i = JOB_NEW + 1; i < JOB_STATE_COUNT; i++) {
        assert_true(job_state_from_text(job_state_to_text(i), &s));
        assert_int_equal(s, i);
    }
    for (int i = REASON_NONE + 1; i < JOB_REASON_COUNT; i++) {
        assert_true(job_reason_from_text(job_reason_to_text(i), &r));
        assert_int_equal(r, i);
    }
    assert_false(job_state_from_text("new", &s));
    assert_false(job_state_from_text("", &s));
    assert_false(job_reason_from_text("", &r));
    assert_null(job_reason_to_text(REASON_NONE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_moves_are_those_of_the_contract),
        cmocka_unit_test(no_decision_leaves_a_final_state),
        cmocka_unit_test(names_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

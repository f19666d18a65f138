/* States and reasons: names both ways, and which states are final. */
#include <string.h>

#include "common/domain/job_state.h"
#include "tests/check.h"

static void the_final_states_are_those_of_the_contract(void **state)
{
    static const char *const open[] = {"claimed", "retry", "in_doubt"};
    (void)state;
    for (int i = JOB_NEW + 1; i < JOB_STATE_COUNT; i++) {
        bool is_open = false;
        for (size_t k = 0; k < ARRAY_LEN(open); k++)
            is_open = is_open || strcmp(job_state_to_text(i), open[k]) == 0;
        assert_int_equal(job_state_is_final(i), !is_open);
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
        cmocka_unit_test(the_final_states_are_those_of_the_contract),
        cmocka_unit_test(names_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

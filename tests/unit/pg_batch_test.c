/* Halving of a batch: each row is asked for once, and a bad one ends alone. */
#include <string.h>

#include "tests/check.h"
#include "worker/pg/pg_batch.h"

static const struct pg_column columns[] = {
    {"p_a", PG_INT4},
    {"p_b", PG_TEXT},
};

static void the_statement_names_each_parameter(void **state)
{
    struct pg_batch b;

    (void)state;
    pg_batch_init(&b, "select 1 from f(p_x => $1::int", 1, columns, ARRAY_LEN(columns));
    assert_string_equal(b.sql,
                        "select 1 from f(p_x => $1::int, p_a => $2::int[], p_b => $3::text[])");
    pg_batch_free(&b);
}

/* Plays a server that refuses any batch with a row of `bad` (a bit a row). */
static uint32_t run(size_t n, uint32_t bad, uint32_t *refused_alone)
{
    struct pg_batch b;
    struct pg_param params[2];
    uint32_t done = 0;
    bool more = true;

    pg_batch_init(&b, "select f(p_x => 1", 0, columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < n; i++) {
        pg_array_add_i32(&b.whole[0], (int32_t)i);
        pg_array_add_text(&b.whole[1], "row");
    }
    pg_batch_start(&b, n);
    while (more) {
        uint32_t asked = (uint32_t)(((UINT64_C(1) << b.n) - 1) << b.from);
        pg_batch_params(&b, params);
        assert_int_equal(params[0].len, 20 + 8 * b.n);
        assert_int_equal(((const uint8_t *)params[0].data)[27], b.from);
        if ((asked & bad) && pg_batch_halve(&b))
            continue;
        if (asked & bad)
            *refused_alone |= asked;
        assert_int_equal(done & asked, 0);
        done |= asked;
        more = pg_batch_next(&b);
    }
    pg_batch_free(&b);
    return done;
}

static void bad_rows_end_alone_and_all_others_go_through(void **state)
{
    static const struct {
        size_t n;
        uint32_t bad;
    } cases[] = {
        {1,  0         },
        {1,  1         },
        {7,  0x8       },
        {32, 0x80000001},
        {32, 0xffffffff},
        {31, 0x00a00400},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint32_t alone = 0;
        uint32_t all = (uint32_t)((UINT64_C(1) << cases[i].n) - 1);
        assert_int_equal(run(cases[i].n, cases[i].bad, &alone), all);
        assert_int_equal(alone, cases[i].bad);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_statement_names_each_parameter),
        cmocka_unit_test(bad_rows_end_alone_and_all_others_go_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

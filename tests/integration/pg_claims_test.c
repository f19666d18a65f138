/* The claims adapter against functions that give back what they got (pg_stub.sql). */
#include <stdio.h>
#include <string.h>

#include "common/loop.h"
#include "tests/check.h"
#include "tests/integration/pg_claims_live.h"

#define TIME_US INT64_C(1795334400123456)
#define DAY_US INT64_C(1795305600000000) /* the day of TIME_US */
static void on_mapped(void *arg, const struct claim_answer *answers, size_t n)
{
    struct claims_live *f = arg;
    const struct claim_answer *a = &answers[0];
    const struct job_status *s = &a->status;

    assert_int_equal(n, 1);
    assert_int_equal(a->ticket, 77);
    assert_int_equal(a->verdict, CLAIM_SEND);
    assert_int_equal(a->wait_us, 123456789 * US_PER_MS);
    assert_int_equal(a->day_us, DAY_US);
    assert_int_equal(a->deadline_in_us, 61 * US_PER_S);
    assert_int_equal(a->life_us, 300 * US_PER_S);
    assert_int_equal(a->code_length, 6);
    assert_memory_equal(a->nonce, "nonce-nonce-nonc", 16);
    assert_memory_equal(a->proof, "proof-proof-proof-proof-proof-pr", 32);
    assert_memory_equal(a->key_id, "key2", 4);
    assert_string_equal(s->job_id, "send-1");
    assert_string_equal(s->phone, "+8613800138000");
    assert_string_equal(s->scene, "login");
    assert_int_equal(s->state, JOB_LIMITED);
    assert_int_equal(s->reason, REASON_COUNTRY);
    assert_int_equal(s->seq, 3);
    assert_string_equal(s->provider_code, "zh-CN");
    assert_string_equal(s->serial_no, "192.0.2.1");
    assert_int_equal(s->attempt, 2);
    assert_true(s->has_retry_after);
    assert_int_equal(s->retry_after, 60);
    assert_int_equal(s->at_us, TIME_US);
    assert_string_equal(s->traceparent,
                        "parent/5000000000/t/5/30/7/3600/20/9000/17000/worker-1/jobs/"
                        "\\x6b657931,\\x6b657932/11/12/13/14/15");
    assert_string_equal(s->tracestate, "state");
    f->n_answers += n;
}

static void each_value_finds_its_parameter_and_its_way_back(void **state)
{
    struct claims_live f;
    struct job job = {.job_id = "send-1",
                      .phone = "+8613800138000",
                      .scene_name = "login",
                      .scene = &claims_live_scene,
                      .locale = "zh-CN",
                      .client_ip = "192.0.2.1",
                      .traceparent = "parent",
                      .tracestate = "state",
                      .requested_at_us = TIME_US,
                      .deadline_us = TIME_US + 61 * US_PER_S};
    struct claim_ask ask_one = {.ticket = 77,
                                .job = &job,
                                .partition = 3,
                                .incarnation = 2,
                                .offset = 123456789,
                                .epoch = INT64_C(5000000000),
                                .refusal = REASON_COUNTRY};

    (void)state;
    memcpy(ask_one.nonce, "nonce-nonce-nonc", 16);
    memcpy(ask_one.proof, "proof-proof-proof-proof-proof-pr", 32);
    memcpy(ask_one.key_id, "key2", 4);
    claims_live_start(&f, on_mapped);
    f.idle = false;
    f.port.claim(f.port.self, &ask_one, 1);
    live_run(f.loop, claims_live_is_idle, &f);
    assert_int_equal(f.n_answers, 1);
    claims_live_stop(&f);
}

static void epochs_are_taken(void **state)
{
    struct claims_live f;
    const struct epoch_ask asks[] = {
        {4, false},
        {9, true }
    };

    (void)state;
    claims_live_start(&f, claims_live_count);
    f.idle = false;
    f.port.take_epochs(f.port.self, asks, 2);
    live_run(f.loop, claims_live_is_idle, &f);
    assert_int_equal(f.n_epochs, 2);
    assert_int_equal(f.epochs[0].partition, 4);
    assert_int_equal(f.epochs[0].epoch, 104);
    assert_int_equal(f.epochs[0].incarnation, 1);
    assert_int_equal(f.epochs[1].partition, 9);
    assert_int_equal(f.epochs[1].incarnation, 2);
    assert_int_equal(f.epochs[1].next_offset, strlen("jobs"
                                                     "worker-1"));
    claims_live_stop(&f);
}

static void verdicts_are_told_apart(void **state)
{
    struct claims_live f;
    char ids[][JOB_ID_MAX] = {"send-1", "decided-1", "known-1",  "duplicate-1",
                              "busy-1", "wait-1",    "fenced-1", "future-1"};

    (void)state;
    claims_live_start(&f, claims_live_count);
    claims_live_ask(&f, ids, ARRAY_LEN(ids));
    live_run(f.loop, claims_live_is_idle, &f);
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        assert_int_equal(f.answered[i], 1);
        assert_int_equal(f.verdicts[i], (enum claim_verdict)i);
    }
    claims_live_stop(&f);
}

static void a_refused_row_stands_alone_and_the_others_go_through(void **state)
{
    struct claims_live f;
    char ids[BATCH][JOB_ID_MAX];

    (void)state;
    claims_live_start(&f, claims_live_count);
    for (int i = 0; i < BATCH; i++)
        snprintf(ids[i], sizeof ids[i], "%s-%d",
                 i == 7 || i == 8 ? "poison-data"
                 : i == BATCH - 1 ? "poison-key"
                                  : "send",
                 i);
    strcpy(ids[20], "send-\xff"); /* not UTF-8: the server refuses the bytes themselves */
    claims_live_ask(&f, ids, BATCH);
    live_run(f.loop, claims_live_is_idle, &f);
    for (int i = 0; i < BATCH; i++) {
        bool bad = i == 7 || i == 8 || i == 20;
        assert_int_equal(f.answered[i], 1);
        assert_int_equal(f.verdicts[i], bad              ? CLAIM_ROW_REFUSED
                                        : i == BATCH - 1 ? CLAIM_ROW_ODD
                                                         : CLAIM_SEND);
    }
    assert_int_equal(f.ills, 0);
    assert_string_equal(f.odd_why, "PostgreSQL: duplicate key (SQLSTATE 23505)");
    claims_live_stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_value_finds_its_parameter_and_its_way_back),
        cmocka_unit_test(epochs_are_taken),
        cmocka_unit_test(verdicts_are_told_apart),
        cmocka_unit_test(a_refused_row_stands_alone_and_the_others_go_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

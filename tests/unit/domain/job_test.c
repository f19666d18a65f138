/* The worker's judgement of jobs: the corpus in tests/corpus/jobs, and what a file cannot hold. */
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/domain/job.h"
#include "common/mem.h"
#include "common/settings/settings.h"
#include "tests/check.h"
#include "tests/unit/vectors.h"

#define CORPUS "tests/corpus/jobs"
#define JOB_AT                                                                                     \
    "{\"v\":1,\"job_id\":\"j\",\"phone\":\"+8613800138000\",\"scene\":\"login\","                  \
    "\"requested_at\":\"2026-11-22T08:00:00Z\""
#define REQUESTED_US INT64_C(1795334400000000)

static struct settings *settings;

static int load_scenes(void **state)
{
    struct buf faults = BUF_INIT;
    (void)state;
    settings = settings_load(SENDCODE_SOURCE_DIR "/tests/corpus/jobs.conf", 0, &faults);
    printf("%s", buf_text(&faults));
    buf_free(&faults);
    return settings != NULL ? 0 : -1;
}

static int free_scenes(void **state)
{
    (void)state;
    settings_free(settings);
    return 0;
}

static enum job_fault judge(const void *value, size_t len)
{
    struct job job;
    bool no_memory;
    struct arena *a = arena_new(1024);
    enum job_fault fault = job_parse(a, settings, value, len, &job, &no_memory);
    assert_false(no_memory);
    arena_free(a);
    return fault;
}

static void check_file(const struct json *entry)
{
    char path[512];
    char value[16384];
    const char *name = json_get_text(entry, "file");
    snprintf(path, sizeof(path), SENDCODE_SOURCE_DIR "/" CORPUS "/%s", name);
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        fail_msg("%s cannot be read", path);
    size_t len = fread(value, 1, sizeof(value), f);
    fclose(f);

    const char *label = job_fault_to_label(judge(value, len));
    if (strcmp(label, json_get_text(entry, "fault")) != 0)
        fail_msg("%s: %s, expected %s", name, label, json_get_text(entry, "fault"));
}

static void the_corpus_is_judged_as_its_index_says(void **state)
{
    struct json *index = vectors_read(CORPUS "/index.json");
    const struct json *jobs = json_get(index, "jobs");
    (void)state;
    assert_true(json_length(jobs) > 200);
    for (size_t i = 0; i < json_length(jobs); i++)
        check_file(json_at(jobs, i));
    json_free(index);
}

static void every_fault_of_the_parser_is_in_the_corpus(void **state)
{
    struct json *index = vectors_read(CORPUS "/index.json");
    const struct json *jobs = json_get(index, "jobs");
    (void)state;
    for (int f = JOB_OK; f < JOB_FAULT_FUTURE; f++) {
        bool met = f == JOB_FAULT_TOMBSTONE;
        for (size_t i = 0; i < json_length(jobs) && !met; i++)
            met = strcmp(json_get_text(json_at(jobs, i), "fault"), job_fault_to_label(f)) == 0;
        if (!met)
            fail_msg("no job for %s", job_fault_to_label(f));
    }
    json_free(index);
}

static void no_value_is_a_tombstone_and_an_empty_one_is_no_json(void **state)
{
    (void)state;
    assert_int_equal(judge(NULL, 0), JOB_FAULT_TOMBSTONE);
    assert_int_equal(judge("", 0), JOB_FAULT_NOT_JSON);
}

static void parse(struct arena *a, const char *value, struct job *job)
{
    bool no_memory;
    enum job_fault fault = job_parse(a, settings, value, strlen(value), job, &no_memory);
    if (fault != JOB_OK || no_memory)
        fail_msg("%s: %s", value, job_fault_to_label(fault));
}

static void a_full_job_arrives_whole(void **state)
{
    struct arena *a = arena_new(1024);
    struct job job;
    (void)state;
    parse(a,
          JOB_AT ",\"deadline\":\"2026-11-22T08:00:30Z\",\"locale\":\"en\","
                 "\"client_ip\":\"2001:DB8:0::1\"}",
          &job);
    assert_string_equal(job.job_id, "j");
    assert_string_equal(job.phone, "+8613800138000");
    assert_string_equal(job.scene_name, "login");
    assert_string_equal(job.locale, "en");
    assert_string_equal(job.client_ip, "2001:db8::1");
    assert_int_equal(job.requested_at_us, REQUESTED_US);
    assert_int_equal(job.deadline_us, REQUESTED_US + 30 * US_PER_S);
    assert_null(job.traceparent);
    arena_free(a);
}

static void a_mapped_address_is_ipv4(void **state)
{
    struct arena *a = arena_new(1024);
    struct job job;
    (void)state;
    parse(a, JOB_AT ",\"client_ip\":\"::ffff:cb00:7109\"}", &job);
    assert_string_equal(job.client_ip, "203.0.113.9");
    arena_free(a);
}

static void the_locale_picks_the_scene_and_so_the_deadline(void **state)
{
    static const struct {
        const char *member;
        int64_t send_within;
    } cases[] = {
        {"",                        60},
        {",\"locale\":\"en\"",      61},
        {",\"locale\":\"EN-gb\"",   61},
        {",\"locale\":\"english\"", 60},
        {",\"locale\":\"zh-CN\"",   60},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena *a = arena_new(1024);
        struct job job;
        char value[512];
        snprintf(value, sizeof(value), JOB_AT "%s}", cases[i].member);
        parse(a, value, &job);
        if (job.scene->send_within != cases[i].send_within)
            fail_msg("%s: %d", value, (int)job.scene->send_within);
        assert_int_equal(job.deadline_us, REQUESTED_US + cases[i].send_within * US_PER_S);
        arena_free(a);
    }
}

static void no_memory_is_said_and_is_no_fault_of_the_job(void **state)
{
    static const char value[] = JOB_AT ",\"locale\":\"en\",\"client_ip\":\"::1\"}";
    size_t failures = 0;
    (void)state;
    for (size_t nth = 1; nth < 20; nth++) {
        struct job job;
        bool no_memory;
        struct arena *a = arena_new(16); /* so small that texts need blocks of their own */
        assert_non_null(a);
        mem_fail_after(nth);
        enum job_fault fault = job_parse(a, settings, value, strlen(value), &job, &no_memory);
        mem_fail_after(0);
        arena_free(a);
        assert_true(no_memory || fault == JOB_OK);
        failures += no_memory;
    }
    assert_true(failures >= 2);
}

static void a_dead_letter_is_cut_where_a_code_may_be(void **state)
{
    static const struct {
        enum job_fault fault;
        const char *value;
        bool may;
    } cases[] = {
        {JOB_FAULT_CODE,         "{\"c\\u006fde\":1}",                 true },
        {JOB_FAULT_NOT_JSON,     "{'a':1,\"code\":\"123456\"",         true },
        {JOB_FAULT_NOT_JSON,     "{\"c\\u006fde\":\"123456\",x",       true },
        {JOB_FAULT_NOT_JSON,     "{'a':1}",                            false},
        {JOB_FAULT_NOT_OBJECT,   "[{\"code\":1}]",                     true },
        {JOB_FAULT_REPEATED_KEY, "{\"c\\u006fde\":1,\"a\":1,\"a\":2}", true },
        {JOB_FAULT_NOT_UTF8,     "\xFF\"code\"",                       true },
        {JOB_FAULT_PHONE,        "{\"x\":{\"code\":1}}",               false},
        {JOB_FAULT_REFUSED_ROW,  "{\"x\":{\"code\":1}}",               false},
        {JOB_OK,                 "{\"x\":{\"code\":1}}",               false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (job_value_may_hold_code(cases[i].fault, cases[i].value, strlen(cases[i].value)) !=
            cases[i].may)
            fail_msg("%s", cases[i].value);
    assert_false(job_value_may_hold_code(JOB_FAULT_TOMBSTONE, NULL, 0));
}

static void each_fault_is_one_ascii_line_of_a_header(void **state)
{
    (void)state;
    for (int f = JOB_OK; f < JOB_FAULT_COUNT; f++) {
        const char *text = job_fault_to_text(f);
        assert_in_range(strlen(text), 1, 200);
        for (; *text != '\0'; text++)
            assert_in_range(*text, ' ', '~');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_corpus_is_judged_as_its_index_says),
        cmocka_unit_test(every_fault_of_the_parser_is_in_the_corpus),
        cmocka_unit_test(no_value_is_a_tombstone_and_an_empty_one_is_no_json),
        cmocka_unit_test(a_full_job_arrives_whole),
        cmocka_unit_test(a_mapped_address_is_ipv4),
        cmocka_unit_test(the_locale_picks_the_scene_and_so_the_deadline),
        cmocka_unit_test(no_memory_is_said_and_is_no_fault_of_the_job),
        cmocka_unit_test(a_dead_letter_is_cut_where_a_code_may_be),
        cmocka_unit_test(each_fault_is_one_ascii_line_of_a_header),
    };
    return cmocka_run_group_tests(tests, load_scenes, free_scenes);
}

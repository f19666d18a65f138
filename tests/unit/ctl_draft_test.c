/* Jobs that sendcodectl publishes: completed without touching what was given, refused by line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/settings/settings.h"
#include "ctl/draft.h"
#include "tests/check.h"

static const char configuration[] = "[kafka]\nbootstrap.servers = 127.0.0.1:1\n"
                                    "[scene login]\ntemplate_id = 1\nsend_within = 60\n"
                                    "sign_name = A\nsdk_app_id = 1400000001\n";

static struct settings *settings;
static struct draft_list jobs;
static struct buf faults;

static int set_up_all(void **state)
{
    char path[] = "/tmp/sendcode-draft.XXXXXX";
    struct buf why = BUF_INIT;
    int fd = mkstemp(path);

    (void)state;
    if (fd < 0 || write(fd, configuration, sizeof configuration - 1) < 0)
        return -1;
    close(fd);
    settings = settings_load(path, SETTINGS_NEED_KAFKA, &why);
    unlink(path);
    fputs(buf_text(&why), stderr);
    buf_free(&why);
    return settings ? 0 : -1;
}

static int tear_down_all(void **state)
{
    (void)state;
    settings_free(settings);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    draft_list_init(&jobs);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    draft_list_free(&jobs);
    buf_free(&faults);
    return 0;
}

static void add_text(const char *text)
{
    char *copy = strdup(text);
    FILE *in = fmemopen(copy, strlen(copy), "r");

    assert_non_null(in);
    draft_add_lines(&jobs, settings, in, "jobs", &faults);
    fclose(in);
    free(copy);
}

static void a_job_from_flags_is_whole(void **state)
{
    const struct draft_flags flags = {.phone = "+8613800138000", .scene = "login"};

    (void)state;
    assert_int_equal(draft_add_flags(&jobs, settings, &flags, &faults), 0);
    assert_int_equal(jobs.n, 1);
    assert_string_equal(jobs.items[0].phone, "+8613800138000");
    assert_non_null(strstr(jobs.items[0].value, "\"v\":1"));
    assert_non_null(strstr(jobs.items[0].value, "\"requested_at\":"));
}

static void a_made_job_id_is_a_uuid_of_version_7_and_new_each_time(void **state)
{
    const struct draft_flags flags = {.phone = "+8613800138000", .scene = "login"};

    (void)state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(draft_add_flags(&jobs, settings, &flags, &faults), 0);
    for (int i = 0; i < 2; i++) {
        const char *id = jobs.items[i].job_id;
        assert_int_equal(strlen(id), 36);
        assert_int_equal(id[14], '7');
        assert_non_null(strchr("89ab", id[19]));
    }
    assert_string_not_equal(jobs.items[0].job_id, jobs.items[1].job_id);
}

static void a_bad_flag_is_named(void **state)
{
    static const struct {
        struct draft_flags flags;
        const char *rule;
    } cases[] = {
        {{.phone = "13800138000", .scene = "login"},                          "phone is not"           },
        {{.phone = "+8613800138000", .scene = "nope"},                        "scene is not configured"},
        {{.phone = "+8613800138000", .scene = "login", .job_id = "a b"},      "job_id is not"          },
        {{.phone = "+8613800138000", .scene = "login", .deadline = "soon"},   "deadline is not"        },
        {{.phone = "+8613800138000", .scene = "login", .client_ip = "1.2.3"}, "client_ip is not"       },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        buf_clear(&faults);
        assert_int_equal(draft_add_flags(&jobs, settings, &cases[i].flags, &faults), -1);
        assert_non_null(strstr(buf_text(&faults), cases[i].rule));
    }
    assert_int_equal(jobs.n, 0);
}

static void a_whole_line_is_published_byte_for_byte(void **state)
{
    static const char line[] = "{ \"v\" : 1,\"job_id\":\"a\", \"phone\":\"+8613800138000\","
                               "\"scene\":\"login\",\"requested_at\":\"2026-11-22T08:00:00Z\","
                               "\"note\":\"\\u4f60\" }";

    (void)state;
    add_text(line);
    assert_string_equal(buf_text(&faults), "");
    assert_int_equal(jobs.n, 1);
    assert_int_equal(jobs.items[0].len, strlen(line));
    assert_memory_equal(jobs.items[0].value, line, strlen(line));
}

static void what_a_line_lacks_is_put_in_and_the_rest_stays(void **state)
{
    static const char rest[] = "\"phone\":\"+8613800138000\",  \"scene\":\"login\"}";

    (void)state;
    add_text("{\"phone\":\"+8613800138000\",  \"scene\":\"login\"}\r\n\n");
    assert_string_equal(buf_text(&faults), "");
    assert_int_equal(jobs.n, 1);
    assert_string_equal(jobs.items[0].value + jobs.items[0].len - strlen(rest), rest);
}

static void bad_lines_are_named_by_number_and_rule(void **state)
{
    (void)state;
    add_text("{\"phone\":\"+8613800138000\",\"scene\":\"login\"}\n"
             "\n"
             "{}\n"
             "{\"phone\":\"+8613800138000\",\"scene\":\"login\",\"code\":\"123456\"}\n"
             "{\"phone\":\"+8613800138000\",\"phone\":\"+8613800138001\",\"scene\":\"login\"}\n"
             "not json\n");
    assert_non_null(strstr(buf_text(&faults), "jobs:3: v is not 1\n"));
    assert_non_null(strstr(buf_text(&faults), "jobs:4: the field code is not allowed"));
    assert_non_null(strstr(buf_text(&faults), "jobs:5: a key stands twice in the object\n"));
    assert_non_null(strstr(buf_text(&faults), "jobs:6: the value is not one well-formed JSON"));
    assert_null(strstr(buf_text(&faults), "123456"));
    assert_int_equal(jobs.n, 1);
}

static void many_jobs_fit(void **state)
{
    struct buf text = BUF_INIT;

    (void)state;
    for (int i = 0; i < 3000; i++)
        buf_add_fmt(&text, "{\"phone\":\"+86138%08d\",\"scene\":\"login\"}\n", i);
    add_text(buf_text(&text));
    buf_free(&text);
    assert_string_equal(buf_text(&faults), "");
    assert_int_equal(jobs.n, 3000);
    assert_string_equal(jobs.items[2999].phone, "+8613800002999");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_job_from_flags_is_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_made_job_id_is_a_uuid_of_version_7_and_new_each_time,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bad_flag_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_whole_line_is_published_byte_for_byte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_line_lacks_is_put_in_and_the_rest_stays, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(bad_lines_are_named_by_number_and_rule, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_jobs_fit, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}

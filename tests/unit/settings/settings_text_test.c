/* What is made from the table: --dump-config, etc/sendcode.conf, and what a reload takes over. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/settings/settings_file.h"
#include "common/settings/settings_table.h"
#include "tests/check.h"
#include "tests/unit/settings/scratch.h"

static int set_up(void **state)
{
    (void)state;
    scratch_clear_environment();
    scratch_set_secrets();
    return 0;
}

static void dump(const struct settings *s, struct buf *out)
{
    buf_clear(out);
    settings_dump(s, out);
}

/* Everything but comments. */
static void drop_comments(struct buf *b)
{
    struct buf out = BUF_INIT;
    char *rest = NULL;
    for (char *line = strtok_r(b->data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        if (line[0] != '#')
            buf_add_fmt(&out, "%s\n", line);
    buf_free(b);
    *b = out;
}

static void the_dump_says_where_each_value_comes_from(void **state)
{
    struct buf out = BUF_INIT;
    struct settings *s;
    (void)state;
    setenv("SENDCODE_KAFKA_SASL_PASSWORD", "hush-hush", 1);
    setenv("SENDCODE_KAFKA_CLIENT_ID", "me", 1);
    setenv("TENCENT_TOKEN", "hush-token", 1);
    s = scratch_load(scratch_minimum, SCRATCH_NEEDS_ALL);
    dump(s, &out);
    const char *text = buf_text(&out);
    assert_non_null(strstr(text, ".conf:2\nbootstrap.servers = b:9092\n"));
    assert_non_null(strstr(text, "# environment\nclient.id = me\n"));
    assert_non_null(strstr(text, "# environment\n# sasl.password = ***\n"));
    assert_non_null(strstr(text, "# default\ntimeout = 5\n"));
    assert_non_null(strstr(text, "# default\n;ca_file = \n"));
    assert_non_null(strstr(text, ".conf:9\ntemplate_id = 1\n"));
    assert_non_null(strstr(text, ".conf:7\nsign_name = AA\n"));
    assert_non_null(strstr(text, "# TENCENT_TOKEN = ***\n"));
    assert_non_null(strstr(text, "# SENDCODE_CODE_KEY = ***\n"));
    assert_null(strstr(text, "hush"));
    assert_null(strstr(text, "AKIDx"));
    assert_null(strcasestr(text, "00112233"));
    buf_free(&out);
    settings_free(s);
}

static void the_dump_is_a_file_that_means_the_same(void **state)
{
    struct buf first = BUF_INIT, second = BUF_INIT;
    (void)state;
    settings_sample(&first);
    struct settings *s = scratch_load(buf_text(&first), 0);
    dump(s, &first);
    settings_free(s);
    s = scratch_load(buf_text(&first), 0);
    dump(s, &second);
    settings_free(s);
    drop_comments(&first);
    drop_comments(&second);
    assert_string_equal(buf_text(&first), buf_text(&second));
    buf_free(&first);
    buf_free(&second);
}

static void the_sample_is_a_working_example(void **state)
{
    struct buf sample = BUF_INIT;
    (void)state;
    settings_sample(&sample);
    settings_free(scratch_load(buf_text(&sample), SCRATCH_NEEDS_ALL));
    buf_free(&sample);
}

static void the_sample_shows_every_key_with_its_text(void **state)
{
    struct buf sample = BUF_INIT;
    (void)state;
    settings_sample(&sample);
    for (size_t i = 0; i < settings_table_size; i++) {
        char line[64], commented[64];
        snprintf(line, sizeof(line), "\n%s =", settings_table[i].key);
        snprintf(commented, sizeof(commented), "\n;%s =", settings_table[i].key);
        if (strstr(buf_text(&sample), line) == NULL && strstr(buf_text(&sample), commented) == NULL)
            fail_msg("%s is not there", settings_table[i].key);
        assert_true(strlen(settings_table[i].doc) > 0);
    }
    buf_free(&sample);
}

/* Where they differ, the test leaves the right text beside itself. */
static void the_file_in_etc_is_the_sample(void **state)
{
    struct buf sample = BUF_INIT, file = BUF_INIT;
    (void)state;
    settings_sample(&sample);
    assert_int_equal(settings_file_read(SENDCODE_SOURCE_DIR "/etc/sendcode.conf", &file), 0);
    if (strcmp(buf_text(&sample), buf_text(&file)) != 0) {
        FILE *f = fopen("sendcode.conf.expected", "w");
        assert_non_null(f);
        fputs(buf_text(&sample), f);
        fclose(f);
        fail_msg("etc/sendcode.conf differs from the table: take sendcode.conf.expected");
    }
    buf_free(&sample);
    buf_free(&file);
}

static void a_reload_takes_scenes_and_keeps_what_needs_a_restart(void **state)
{
    struct buf ignored = BUF_INIT;
    (void)state;
    struct settings *now = scratch_load("[kafka]\nbootstrap.servers = a\nclient.id = x\n"
                                        "[worker]\nin_flight = 8\ndrain = 1\n"
                                        "[tencent]\nca_file = /a\nrate = 10\n[scene s]\nttl = 20\n",
                                        0);
    struct settings *next = scratch_load("[kafka]\nbootstrap.servers = b\ngroup.id = g\n"
                                         "[worker]\nin_flight = 9\ndrain = 2\n"
                                         "[postgres]\ndsn = dbname=x\n"
                                         "[tencent]\nrate = 20\nresend_after_doubt = off\n"
                                         "[scene s]\nttl = 30\n[scene t]\n",
                                         0);
    struct settings *s = settings_reload(now, next, &ignored);
    assert_ptr_equal(s, next);
    settings_free(now);

    assert_string_equal(buf_text(&ignored),
                        "[kafka] bootstrap.servers: changed; takes effect after a restart\n"
                        "[kafka] client.id: changed; takes effect after a restart\n"
                        "[kafka] group.id: changed; takes effect after a restart\n"
                        "[postgres] dsn: changed; takes effect after a restart\n"
                        "[tencent] ca_file: changed; takes effect after a restart\n"
                        "[worker] in_flight: changed; takes effect after a restart\n");
    assert_string_equal(settings_kafka(s, "bootstrap.servers"), "a");
    assert_string_equal(settings_kafka(s, "client.id"), "x");
    assert_null(settings_kafka(s, "group.id"));
    assert_null(s->postgres.dsn);
    assert_string_equal(s->tencent.ca_file, "/a");
    assert_int_equal(s->tencent.rate, 20);
    assert_false(s->tencent.resend_after_doubt);
    assert_int_equal(s->worker.in_flight, 8);
    assert_int_equal(s->worker.drain, 2);
    assert_int_equal(settings_scene(s, "s", NULL)->ttl, 30);
    assert_non_null(settings_scene(s, "t", NULL));
    settings_free(s);
    buf_free(&ignored);
}

static void a_reload_of_the_same_file_ignores_nothing(void **state)
{
    struct buf ignored = BUF_INIT;
    (void)state;
    struct settings *now = scratch_load(scratch_minimum, SCRATCH_NEEDS_ALL);
    struct settings *next = scratch_load(scratch_minimum, SCRATCH_NEEDS_ALL);
    struct settings *s = settings_reload(now, next, &ignored);
    assert_int_equal(ignored.len, 0);
    settings_free(now);
    settings_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_dump_says_where_each_value_comes_from, set_up),
        cmocka_unit_test_setup(the_dump_is_a_file_that_means_the_same, set_up),
        cmocka_unit_test_setup(the_sample_is_a_working_example, set_up),
        cmocka_unit_test_setup(the_sample_shows_every_key_with_its_text, set_up),
        cmocka_unit_test_setup(the_file_in_etc_is_the_sample, set_up),
        cmocka_unit_test_setup(a_reload_takes_scenes_and_keeps_what_needs_a_restart, set_up),
        cmocka_unit_test_setup(a_reload_of_the_same_file_ignores_nothing, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

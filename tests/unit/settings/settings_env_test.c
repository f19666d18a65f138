/* What comes from the environment: secrets, their files, librdkafka's properties; and what is
 * missing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "tests/check.h"
#include "tests/unit/settings/scratch.h"

#define EIGHT(digit) digit digit digit digit digit digit digit digit
#define KEY_OF(digit) EIGHT(EIGHT(digit)) /* 64 hex digits */

static char secret_path[64];

static int set_up(void **state)
{
    (void)state;
    scratch_clear_environment();
    scratch_set_secrets();
    return 0;
}

/* A secret's file with this content; its path. */
static const char *write_secret(const char *content)
{
    snprintf(secret_path, sizeof(secret_path), "secret-%ld", (long)getpid());
    FILE *f = fopen(secret_path, "w");
    assert_non_null(f);
    fputs(content, f);
    fclose(f);
    return secret_path;
}

static void check_fault(const char *begin)
{
    const char *faults = scratch_faults(scratch_minimum, SCRATCH_NEEDS_ALL);
    const char *end = strchr(faults, '\n');
    if (strncmp(faults, begin, strlen(begin)) != 0 || end == NULL || end[1] != '\0')
        fail_msg("gave: %s\nexpected: %s", faults, begin);
}

static void keys_are_read_with_their_ids(void **state)
{
    struct settings *s;
    (void)state;
    setenv("SENDCODE_CODE_KEY", SCRATCH_KEY_A ", " SCRATCH_KEY_B "\n", 1);
    setenv("SENDCODE_VERIFY_KEY",
           "2222222222222222222222222222222222222222222222222222222222222222", 1);
    s = scratch_load(scratch_minimum, SCRATCH_NEEDS_ALL);
    assert_int_equal(s->secrets.code.n, 2);
    assert_int_equal(s->secrets.code.keys[0].bytes[1], 0x11);
    assert_int_equal(s->secrets.code.keys[0].bytes[31], 0xFF);
    /* sha256 of 32 bytes 0x11 begins with 02d449a3 */
    assert_memory_equal(s->secrets.code.keys[1].id, "\x02\xd4\x49\xa3", 4);
    assert_int_equal(s->secrets.verify.n, 1);
    assert_string_equal(s->secrets.tencent_secret_id, "AKIDx");
    assert_null(s->secrets.tencent_token);
    settings_free(s);
}

static void a_file_holds_a_secret_between_line_ends(void **state)
{
    struct settings *s;
    (void)state;
    unsetenv("SENDCODE_CODE_KEY");
    setenv("SENDCODE_CODE_KEY_FILE", write_secret("\r\n" SCRATCH_KEY_A "\r\n\n"), 1);
    s = scratch_load(scratch_minimum, SCRATCH_NEEDS_ALL);
    assert_int_equal(s->secrets.code.n, 1);
    settings_free(s);
    unlink(secret_path);
}

static void tencents_other_names_count_where_the_first_are_not_set(void **state)
{
    struct settings *s;
    (void)state;
    unsetenv("TENCENT_SECRET_ID");
    setenv("TENCENTCLOUD_SECRET_ID", "AKIDother", 1);
    setenv("TENCENTCLOUD_SECRET_KEY", "not this", 1);
    setenv("TENCENT_TOKEN", "tok", 1);
    s = scratch_load(scratch_minimum, SCRATCH_NEEDS_ALL);
    assert_string_equal(s->secrets.tencent_secret_id, "AKIDother");
    assert_string_equal(s->secrets.tencent_secret_key, "sk");
    assert_string_equal(s->secrets.tencent_token, "tok");
    settings_free(s);
}

static void faults_of_the_environment_name_the_variable(void **state)
{
    static const struct {
        const char *name, *value, *begin;
    } cases[] = {
        {"TENCENT_SECRET_ID",                 "",                                     "environment: TENCENT_SECRET_ID: expected it"       },
        {"TENCENT_SECRET_KEY",                "a b",                                  "environment: TENCENT_SECRET_KEY: expected 1 to 128"},
        {"TENCENT_SECRET_KEY_FILE",           "x",                                    "environment: TENCENT_SECRET_KEY: expected either"  },
        {"TENCENT_TOKEN_FILE",                "/nowhere/x",
         "environment: TENCENT_TOKEN_FILE: expected the path of a readable file: No such file"                                            },
        {"SENDCODE_CODE_KEY",                 "",                                     "environment: SENDCODE_CODE_KEY: expected it"       },
        {"SENDCODE_CODE_KEY",                 "00",                                   "environment: SENDCODE_CODE_KEY: expected 64 hex"   },
        {"SENDCODE_CODE_KEY",                 SCRATCH_KEY_A ",",                      "environment: SENDCODE_CODE_KEY: expected 64 hex"   },
        {"SENDCODE_CODE_KEY",                 SCRATCH_KEY_A "," SCRATCH_KEY_A,
         "environment: SENDCODE_CODE_KEY: expected each key once"                                                                         },
        {"SENDCODE_VERIFY_KEY",
         KEY_OF("2") "," KEY_OF("3") "," KEY_OF("4") "," KEY_OF("5") "," KEY_OF("6"),
         "environment: SENDCODE_VERIFY_KEY: expected at most 4 keys"                                                                      },
        {"SENDCODE_CODE_KEY",                 SCRATCH_KEY_B,
         "environment: SENDCODE_VERIFY_KEY: expected no key that is also"                                                                 },
        {"SENDCODE_KAFKA_ENABLE_AUTO_COMMIT", "true",
         "environment: SENDCODE_KAFKA_ENABLE_AUTO_COMMIT: expected false"                                                                 },
        {"SENDCODE_KAFKA_client_id",          "x",
         "environment: SENDCODE_KAFKA_client_id: expected a property"                                                                     },
        {"SENDCODE_KAFKA_",                   "x",                                    "environment: SENDCODE_KAFKA_: expected a property" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        scratch_clear_environment();
        scratch_set_secrets();
        setenv(cases[i].name, cases[i].value, 1);
        check_fault(cases[i].begin);
    }
}

static void an_empty_or_binary_secret_file_is_a_fault(void **state)
{
    (void)state;
    setenv("TENCENT_TOKEN_FILE", write_secret("\n\n"), 1);
    check_fault("environment: TENCENT_TOKEN_FILE: expected the path of a file that is not empty");
    unlink(secret_path);
}

static void secrets_that_are_not_needed_are_not_looked_at(void **state)
{
    struct settings *s;
    (void)state;
    setenv("SENDCODE_CODE_KEY", "nonsense", 1);
    setenv("TENCENT_TOKEN_FILE", "/nowhere", 1);
    setenv("SENDCODE_KAFKA_SASL_PASSWORD_FILE", "/nowhere", 1);
    s = scratch_load(scratch_minimum, SETTINGS_NEED_POSTGRES | SETTINGS_NEED_VERIFY_KEY);
    assert_int_equal(s->secrets.verify.n, 1);
    assert_int_equal(s->secrets.code.n, 0);
    assert_null(s->secrets.tencent_secret_id);
    settings_free(s);
}

static void tencents_keys_can_be_had_without_scenes(void **state)
{
    struct settings *s;
    (void)state;
    setenv("SENDCODE_CODE_KEY", "nonsense", 1);
    s = scratch_load("", SETTINGS_NEED_TENCENT_KEYS);
    assert_string_equal(s->secrets.tencent_secret_id, "AKIDx");
    settings_free(s);
    unsetenv("TENCENT_SECRET_ID");
    assert_non_null(strstr(scratch_faults("", SETTINGS_NEED_TENCENT_KEYS),
                           "environment: TENCENT_SECRET_ID: expected it"));
}

static void properties_come_from_the_environment_and_win(void **state)
{
    struct buf faults = BUF_INIT;
    struct settings *s;
    (void)state;
    setenv("SENDCODE_KAFKA_BOOTSTRAP_SERVERS", "other:1", 1);
    setenv("SENDCODE_KAFKA_SASL_PASSWORD_FILE", write_secret("p w\n"), 1);
    s = scratch_load(scratch_minimum, SCRATCH_NEEDS_ALL);
    assert_string_equal(settings_kafka(s, "bootstrap.servers"), "other:1");
    assert_string_equal(settings_kafka(s, "sasl.password"), "p w");
    assert_int_equal(s->n_kafka, 2);
    settings_free(s);

    s = settings_load(NULL, SETTINGS_NEED_KAFKA, &faults);
    assert_non_null(s);
    settings_free(s);
    unlink(secret_path);
}

static void an_environment_without_anything_is_empty(void **state)
{
    struct buf faults = BUF_INIT;
    (void)state;
    scratch_clear_environment();
    assert_null(settings_load(NULL, SETTINGS_NEED_KAFKA, &faults));
    assert_non_null(strstr(buf_text(&faults), "[kafka] bootstrap.servers: expected"));
    buf_free(&faults);
}

static void both_forms_of_a_property_are_one_fault(void **state)
{
    (void)state;
    setenv("SENDCODE_KAFKA_SASL_PASSWORD", "x", 1);
    setenv("SENDCODE_KAFKA_SASL_PASSWORD_FILE", "y", 1);
    check_fault("environment: SENDCODE_KAFKA_SASL_PASSWORD: expected either this or");
}

static void what_is_missing_is_named_where_it_should_stand(void **state)
{
    static const struct {
        const char *text;
        unsigned needs;
        const char *faults;
    } cases[] = {
        {"[kafka]\n",                                                                    SETTINGS_NEED_KAFKA,
         ":1: [kafka] bootstrap.servers: expected a list of brokers, HOST:PORT with commas "
         "between\n"                                                                                                                                                        },
        {"",                                                                             SETTINGS_NEED_POSTGRES, ": [postgres] dsn: expected a connection string of libpq\n"},
        {"",                                                                             SETTINGS_NEED_TENCENT,  ": [scene NAME] expected at least one scene\n"             },
        {"[scene a]\n[scene a en]\n",                                                    SETTINGS_NEED_TENCENT,
         ":1: [scene a] template_id: expected the id of an approved template\n"
         ":1: [scene a] sdk_app_id: expected the SMS application's id, here or in [tencent]\n"
         ":1: [scene a] sign_name: expected an approved signature, here or in [tencent], for "
         "country code 86\n"                                                                                                                                                },
        {"[tencent]\nsdk_app_id = 1\n[scene a]\ntemplate_id = 1\ncountry_codes = 852\n",
         SETTINGS_NEED_TENCENT,                                                                                  ""                                                         },
        {"[tencent]\nsdk_app_id = 1\nca_file = /nowhere\n[scene a]\ntemplate_id = 1\n"
         "country_codes = 1\n",                                                 SETTINGS_NEED_TENCENT,
         ":3: [tencent] ca_file: expected a readable PEM file: No such file or directory\n"                                                                                 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(scratch_faults(cases[i].text, cases[i].needs), cases[i].faults);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(keys_are_read_with_their_ids, set_up),
        cmocka_unit_test_setup(a_file_holds_a_secret_between_line_ends, set_up),
        cmocka_unit_test_setup(tencents_other_names_count_where_the_first_are_not_set, set_up),
        cmocka_unit_test_setup(faults_of_the_environment_name_the_variable, set_up),
        cmocka_unit_test_setup(an_empty_or_binary_secret_file_is_a_fault, set_up),
        cmocka_unit_test_setup(secrets_that_are_not_needed_are_not_looked_at, set_up),
        cmocka_unit_test_setup(tencents_keys_can_be_had_without_scenes, set_up),
        cmocka_unit_test_setup(properties_come_from_the_environment_and_win, set_up),
        cmocka_unit_test_setup(an_environment_without_anything_is_empty, set_up),
        cmocka_unit_test_setup(both_forms_of_a_property_are_one_fault, set_up),
        cmocka_unit_test_setup(what_is_missing_is_named_where_it_should_stand, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

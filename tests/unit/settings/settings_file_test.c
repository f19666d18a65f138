/* What stands in the file: values, bounds, inheritance, and every fault with its line and key. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "tests/check.h"
#include "tests/unit/settings/scratch.h"

static int set_up(void **state)
{
    (void)state;
    scratch_clear_environment();
    scratch_set_secrets();
    return 0;
}

/* The text has one fault, and its line begins as expected. */
static void check_fault(const char *text, const char *begin)
{
    const char *faults = scratch_faults(text, 0);
    const char *end = strchr(faults, '\n');
    if (strncmp(faults, begin, strlen(begin)) != 0 || end == NULL || end[1] != '\0')
        fail_msg("%s\ngave: %s\nexpected: %s", text, faults, begin);
}

static void without_a_file_the_defaults_hold(void **state)
{
    struct buf faults = BUF_INIT;
    struct settings *s = settings_load(NULL, 0, &faults);
    (void)state;
    assert_non_null(s);
    assert_string_equal(s->topics.jobs, "sendcode.jobs");
    assert_string_equal(s->topics.dead, "sendcode.dead");
    assert_string_equal(s->tencent.endpoint, "https://sms.tencentcloudapi.com");
    assert_int_equal(s->tencent.timeout, 5);
    assert_int_equal(s->tencent.rate, 3000);
    assert_int_equal(s->tencent.signature_life, 15);
    assert_int_equal(s->tencent.doubt_grace, 20);
    assert_true(s->tencent.resend_after_doubt);
    assert_int_equal(s->worker.in_flight, 64);
    assert_int_equal(s->worker.held_jobs, 10000);
    assert_string_equal(s->worker.admin_listen, "127.0.0.1:9464");
    assert_non_null(s->worker.name);
    assert_null(s->postgres.dsn);
    assert_int_equal(s->n_scenes, 0);
    settings_free(s);
}

static void a_scene_has_the_contracts_defaults(void **state)
{
    struct settings *s = scratch_load(scratch_minimum, SCRATCH_NEEDS_ALL);
    const struct scene *scene = settings_scene(s, "login", NULL);
    (void)state;
    assert_string_equal(settings_kafka(s, "bootstrap.servers"), "b:9092");
    assert_null(settings_kafka(s, "group.id"));
    assert_string_equal(scene->template_id, "1");
    assert_string_equal(scene->sdk_app_id, "1400000001");
    assert_string_equal(scene->sign_name, "AA");
    assert_int_equal(scene->n_template_params, 2);
    assert_string_equal(scene->template_params[0], "{code}");
    assert_string_equal(scene->template_params[1], "{minutes}");
    assert_int_equal(scene->n_country_codes, 1);
    assert_string_equal(scene->country_codes[0], "86");
    assert_int_equal(scene->code_length, 6);
    assert_int_equal(scene->ttl, 300);
    assert_int_equal(scene->send_within, 60);
    assert_int_equal(scene->max_tries, 5);
    assert_int_equal(scene->tries_window, 3600);
    assert_int_equal(scene->max_tries_day, 20);
    assert_int_equal(scene->cooldown, 60);
    assert_int_equal(scene->per_hour, 5);
    assert_int_equal(scene->per_day, 30);
    assert_true(scene->resend_same);
    settings_free(s);
}

static void a_locale_inherits_what_it_does_not_say(void **state)
{
    struct settings *s =
        scratch_load("[scene a en]\ntemplate_params = {code}, 5 min ,{minutes}\n"
                     "[scene a]\nttl = 20\ntemplate_id = 7\nresend = new\n"
                     "country_codes = 86, 852\n"
                     "[tencent]\nsign_name = T\n[scene a zh-TW]\nttl = 30\nsign_name = S\n",
                     0);
    const struct scene *en = settings_scene(s, "a", "en-GB");
    const struct scene *tw = settings_scene(s, "a", "zh-tw");
    (void)state;
    assert_int_equal(en->ttl, 20);
    assert_string_equal(en->template_id, "7");
    assert_string_equal(en->template_params[1], "5 min");
    assert_int_equal(en->n_country_codes, 2);
    assert_string_equal(en->sign_name, "T");
    assert_false(en->resend_same);
    assert_int_equal(tw->ttl, 30);
    assert_string_equal(tw->sign_name, "S");
    assert_null(settings_scene(s, "a", "zh")->locale);
    assert_null(settings_scene(s, "a", "e")->locale);
    assert_null(settings_scene(s, "b", NULL));
    settings_free(s);
}

static const struct {
    const char *text, *begin;
} faulty[] = {
    {"x = 1",                                                     ":1: x: expected a [section]"                                 },
    {"[worker]\nlost",                                            ":2: expected key = value"                                    },
    {"[worker]\nin_flight = 0",                                   ":2: [worker] in_flight: expected a whole number from 1 to"   },
    {"[worker]\nin_flight = 64 ; many",                           ":2: [worker] in_flight: expected"                            },
    {"[worker]\nin_flight =",                                     ":2: [worker] in_flight: expected"                            },
    {"[worker]\nin_fligth = 1",                                   ":2: [worker] in_fligth: unknown key"                         },
    {"[worker]\ndrain = 1\n\ndrain = 1",
     ":4: [worker] drain: expected each key once; it stands at line 2"                                                          },
    {"[worker]\n[kafka]\n[worker]",                               ":3: [worker] expected each section once"                     },
    {"[worker]\nadmin_listen = localhost:1",                      ":2: [worker] admin_listen: expected a numeric"               },
    {"[worker]\nadmin_listen = 127.0.0.1",                        ":2: [worker] admin_listen: expected"                         },
    {"[worker]\nadmin_listen = ::1:9464",                         ":2: [worker] admin_listen: expected"                         },
    {"[worker]\nadmin_listen = 1.2.3.4:65536",                    ":2: [worker] admin_listen: expected"                         },
    {"[worker]\nlog_level = fatal",                               ":2: [worker] log_level: expected debug"                      },
    {"[worker]\nname = a b",                                      ":2: [worker] name: expected"                                 },
    {"[topics]\njobs = a/b",                                      ":2: [topics] jobs: expected"                                 },
    {"[topics]\ndead = sendcode.jobs",
     ":2: [topics] dead: expected jobs, events and dead to be three"                                                            },
    {"[receiver]\nlisten = x",                                    ":2: [receiver] listen: expected a numeric address"           },
    {"[receiver]\nallow = 10.0.0.0/33",                           ":2: [receiver] allow: expected addresses or networks"        },
    {"[receiver]\nallow = 10.0.0.0/8, ",                          ":2: [receiver] allow: expected addresses or networks"        },
    {"[receiver]\nallow = 10.0.0.0/8 ::1",                        ":2: [receiver] allow: expected addresses or networks"        },
    {"[receiver]\ndsn = password=x",                              ":2: [receiver] dsn: expected no password here"               },
    {"[limits]\nphone_per_day = -1",                              ":2: [limits] phone_per_day: expected a whole number"         },
    {"[retention]\nreceipts = 6",                                 ":2: [retention] receipts: expected 0, or 7 days or more"     },
    {"[tencent]\nreceipt_overdue = 59",
     ":2: [tencent] receipt_overdue: expected 0, or 60 seconds or more"                                                         },
    {"[test_numbers]",                                            ":1: [test_numbers] unknown section"                          },
    {"[scene]",                                                   ":1: [scene] unknown section"                                 },
    {"[tencent second]",                                          ":1: [tencent second] the section is reserved"                },
    {"[tencent]\nrate = -1",                                      ":2: [tencent] rate: expected a whole number from 0 to"       },
    {"[tencent]\ndoubt_grace = 0",                                ":2: [tencent] doubt_grace: expected a whole number from 1 to"},
    {"[tencent]\nresend_after_doubt = yes",                       ":2: [tencent] resend_after_doubt: expected on or off"        },
    {"[tencent]\nsecret_key = AKIDhush",                          ":2: [tencent] secret_key: expected no secret here"           },
    {"[tencent]\nsignature_life = 4",
     ":2: [tencent] signature_life: expected a whole number from 5 to 300"                                                      },
    {"[scene a]\naccount = x",                                    ":2: [scene a] account: the key is reserved"                  },
    {"[scene a]\nttl = 9",                                        ":2: [scene a] ttl: expected a whole number from 10 to"       },
    {"[scene a]\nsend_within = 4",                                ":2: [scene a] send_within: expected a whole number from 5 to"},
    {"[scene a]\ntries_window = 4",
     ":2: [scene a] tries_window: expected a whole number from 5 to"                                                            },
    {"[scene a]\ncode_length = 7",
     ":2: [scene a] code_length: expected a whole number from 4 to 6"                                                           },
    {"[scene a]\nresend = never",                                 ":2: [scene a] resend: expected same or new"                  },
    {"[scene A]",                                                 ":1: [scene A] expected a scene's name"                       },
    {"[scene a b c]",                                             ":1: [scene a b c] expected a locale"                         },
    {"[scene a zh_CN]",                                           ":1: [scene a zh_CN] expected a locale"                       },
    {"[scene a]\n[scene b zh]",                                   ":2: [scene b zh] expected a section [scene b]"               },
    {"[scene a]\n[scene a zh]\n[scene a ZH]",                     ":3: [scene a ZH] expected each locale once"                  },
    {"[scene a]\ntemplate_params = {minutes}",                    ":2: [scene a] template_params: expected {code}"              },
    {"[scene a]\ntemplate_params = {code},",                      ":2: [scene a] template_params: expected {code}"              },
    {"[scene a]\ntemplate_params = {code},{x}",                   ":2: [scene a] template_params: expected"                     },
    {"[scene a]\ntemplate_params = {code},1234567890123",
     ":2: [scene a] template_params: expected"                                                                                  },
    {"[scene a]\ntemplate_params = {code},2,3,4,5,6,7,8,9,10,11",
     ":2: [scene a] template_params: expected at most 10"                                                                       },
    {"[scene a]\ncountry_codes = +86",                            ":2: [scene a] country_codes: expected"                       },
    {"[scene a]\ncountry_codes = 86,86",                          ":2: [scene a] country_codes: expected"                       },
    {"[scene a]\ncountry_codes = 999",                            ":2: [scene a] country_codes: expected"                       },
    {"[scene a]\ncountry_codes =",                                ":2: [scene a] country_codes: expected"                       },
    {"[kafka]\nsasl.password = hush",
     ":2: [kafka] sasl.password: expected no secret here: set SENDCODE_KAFKA_SASL_PASSWORD or"                                  },
    {"[kafka]\nssl.key.password = hush",                          ":2: [kafka] ssl.key.password: expected no secret"            },
    {"[kafka]\nssl.ca.pem = hush",                                ":2: [kafka] ssl.ca.pem: expected no secret"                  },
    {"[kafka]\nenable.auto.commit = true",                        ":2: [kafka] enable.auto.commit: expected false"              },
    {"[kafka]\nenable.auto.offset.store = 1",
     ":2: [kafka] enable.auto.offset.store: expected false"                                                                     },
    {"[kafka]\nclient.id =",                                      ":2: [kafka] client.id: expected a value"                     },
};

static void each_fault_names_line_and_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(faulty); i++) {
        check_fault(faulty[i].text, faulty[i].begin);
        assert_null(strstr(scratch_faults(faulty[i].text, 0), "hush"));
    }
}

static void all_faults_come_at_once(void **state)
{
    const char *faults = scratch_faults("[worker]\nin_flight = x\ndrain = y\n[nowhere]\n"
                                        "[scene a]\nttl = 1\ncooldown = -1\n",
                                        0);
    size_t lines = 0;
    (void)state;
    for (const char *c = faults; *c != '\0'; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 5);
}

static void a_value_that_is_wrong_is_reported_once_though_it_is_inherited(void **state)
{
    (void)state;
    check_fault("[scene a]\nttl = 1\n[scene a en]\n[scene a zh]\n", ":2: [scene a] ttl");
}

static void a_bad_file_is_named(void **state)
{
    struct buf faults = BUF_INIT;
    (void)state;
    assert_null(settings_load("/nowhere/x.conf", 0, &faults));
    assert_string_equal(buf_text(&faults), "/nowhere/x.conf: expected a readable file of at most "
                                           "1 MiB: No such file or directory\n");
    buf_clear(&faults);
    assert_null(settings_load("/", 0, &faults));
    assert_non_null(strstr(buf_text(&faults), "Is a directory"));
    buf_free(&faults);
}

static void lists_and_bounds_are_taken_to_their_ends(void **state)
{
    struct settings *s = scratch_load(
        "[tencent]\ntimeout = 1\nprobe_interval = 1\nsignature_life = 300\n"
        "rate = 0\ndoubt_grace = 1\nresend_after_doubt = off\nreceipt_overdue = 60\n[kafka]\n"
        "enable.auto.commit = false\n[worker]\nadmin_listen = [::1]:0\n"
        "[scene 0123456789.abcdefghijklmnopqrst_]\nttl = 10\nsend_within = 5\n"
        "tries_window = 5\ncode_length = 4\ncooldown = 0\nper_hour = 0\nper_day = 0\n"
        "template_params = {code},一二三四五六七八九十一二\n",
        0);
    (void)state;
    assert_int_equal(s->tencent.rate, 0);
    assert_int_equal(s->tencent.doubt_grace, 1);
    assert_int_equal(s->tencent.receipt_overdue, 60);
    assert_false(s->tencent.resend_after_doubt);
    assert_int_equal(s->n_scenes, 1);
    assert_int_equal(s->scenes[0].per_day, 0);
    assert_string_equal(settings_kafka(s, "enable.auto.commit"), "false");
    settings_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_file_the_defaults_hold),
        cmocka_unit_test(a_scene_has_the_contracts_defaults),
        cmocka_unit_test(a_locale_inherits_what_it_does_not_say),
        cmocka_unit_test(each_fault_names_line_and_key),
        cmocka_unit_test(all_faults_come_at_once),
        cmocka_unit_test(a_value_that_is_wrong_is_reported_once_though_it_is_inherited),
        cmocka_unit_test(a_bad_file_is_named),
        cmocka_unit_test(lists_and_bounds_are_taken_to_their_ends),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}

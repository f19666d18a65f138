/* Endpoints and connection strings: what is taken and what is not. */
#include <string.h>

#include "common/settings/settings_check.h"
#include "tests/check.h"

static void only_loopback_hosts_are_spoken_to_in_clear(void **state)
{
    static const struct {
        const char *url;
        bool good;
    } cases[] = {
        {"https://sms.tencentcloudapi.com",     true },
        {"https://sms.tencentcloudapi.com:443", true },
        {"https://10.0.0.1",                    true },
        {"https://[2001:db8::1]:8443",          true },
        {"http://127.0.0.1",                    true },
        {"http://127.1.2.3:8080",               true },
        {"http://localhost:1",                  true },
        {"http://LOCALHOST",                    true },
        {"http://[::1]:8080",                   true },
        {"http://example.com",                  false},
        {"http://128.0.0.1",                    false},
        {"http://127.0.0.1.example.com",        false},
        {"http://127.1",                        false},
        {"http://localhost.example.com",        false},
        {"http://[::2]",                        false},
        {"http://[::ffff:127.0.0.1]",           false},
        {"http://localhost@example.com",        false},
        {"https://example.com/",                false},
        {"https://example.com/path",            false},
        {"https://example.com?q",               false},
        {"https://example.com#f",               false},
        {"https://user@example.com",            false},
        {"https://example.com:0",               false},
        {"https://example.com:65536",           false},
        {"https://example.com:",                false},
        {"https://example.com:8x",              false},
        {"https://",                            false},
        {"https://.example.com",                false},
        {"https://-a.example.com",              false},
        {"https://a_b.example.com",             false},
        {"https://exa mple.com",                false},
        {"https://[::1",                        false},
        {"https://[::1]x",                      false},
        {"https://::1",                         false},
        {"HTTPS://example.com",                 false},
        {"ftp://example.com",                   false},
        {"example.com",                         false},
        {"",                                    false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if ((check_endpoint(cases[i].url) == NULL) != cases[i].good)
            fail_msg("%s", cases[i].url);
}

static void a_dsn_is_one_and_holds_no_password(void **state)
{
    static const struct {
        const char *dsn, *expected; /* "": good; else part of what is said */
    } cases[] = {
        {"dbname=sendcode",                                         ""                 },
        {" host = a,b  port = 1,2 target_session_attrs=read-write", ""                 },
        {"host='a b' dbname='it\\'s password=x'",                   ""                 },
        {"dbname=x options=-c\\ password=1",                        ""                 },
        {"user=x passfile=/etc/pgpass",                             ""                 },
        {"postgresql://",                                           ""                 },
        {"postgresql://u@h:1,h2:2/db?connect_timeout=1",            ""                 },
        {"postgres://u:@h/db",                                      ""                 },
        {"postgresql:///db?host=/run/postgresql",                   ""                 },
        {"postgresql://[::1]:5432/db",                              ""                 },
        {"password=x",                                              "no password"      },
        {"host=a password = 'x'",                                   "no password"      },
        {"host=a sslpassword=x",                                    "no password"      },
        {"postgresql://u:pw@h/db",                                  "no password"      },
        {"postgres://:pw@h/db",                                     "no password"      },
        {"postgresql://h/db?user=u&password=x",                     "no password"      },
        {"postgresql://h/db?pass%77ord=x",                          "no password"      },
        {"postgresql://h/db?sslpassword=x",                         "no password"      },
        {"",                                                        "connection string"},
        {"  ",                                                      "connection string"},
        {"sendcode",                                                "connection string"},
        {"host=a dbname",                                           "connection string"},
        {"=x",                                                      "connection string"},
        {"host='a",                                                 "connection string"},
        {"postgresql://h/db?x",                                     "connection string"},
        {"postgresql://h/db?x%zz=1",                                "connection string"},
        {"mysql://h/db",                                            "connection string"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *answer = check_dsn(cases[i].dsn);
        bool good = cases[i].expected[0] == '\0';
        if (good ? answer != NULL : answer == NULL || strstr(answer, cases[i].expected) == NULL)
            fail_msg("%s: %s", cases[i].dsn, answer != NULL ? answer : "good");
    }
}

static void secrets_are_known_by_their_names(void **state)
{
    (void)state;
    assert_true(check_is_secret_property("sasl.password"));
    assert_true(check_is_secret_property("ssl.keystore.password"));
    assert_true(check_is_secret_property("ssl.key.pem"));
    assert_true(check_is_secret_property("sasl.oauthbearer.client.secret"));
    assert_true(check_is_secret_property("sasl.oauthbearer.config"));
    assert_false(check_is_secret_property("sasl.username"));
    assert_false(check_is_secret_property("ssl.key.location"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_loopback_hosts_are_spoken_to_in_clear),
        cmocka_unit_test(a_dsn_is_one_and_holds_no_password),
        cmocka_unit_test(secrets_are_known_by_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

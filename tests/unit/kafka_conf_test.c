/* [kafka] properties on their way to librdkafka. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/kafka/kafka_conf.h"
/* cmocka needs setjmp and stdarg */
#include <cmocka.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/settings/settings.h"

static void given(struct settings *s, struct property *p, const char *name, const char *value)
{
    *s = (struct settings){0};
    if (!name)
        return;
    *p = (struct property){.name = (char *)(uintptr_t)name,
                           .value = (char *)(uintptr_t)value,
                           .origin = (char *)(uintptr_t)name};
    s->kafka = p;
    s->n_kafka = 1;
}

static void assert_property(const struct settings *s, enum kafka_role role, const char *name,
                            const char *expected)
{
    char value[128] = "";
    size_t size = sizeof(value);
    struct err e = {0};
    rd_kafka_conf_t *conf = kafka_conf_new(s, role, &e);

    if (!conf)
        fail_msg("%s", e.text);
    assert_int_equal(rd_kafka_conf_get(conf, name, value, &size), RD_KAFKA_CONF_OK);
    if (strcmp(value, expected) != 0)
        fail_msg("%s is %s, not %s", name, value, expected);
    rd_kafka_conf_destroy(conf);
}

static void defaults_are_the_programs_own(UNUSED void **state)
{
    static const struct {
        enum kafka_role role;
        const char *name, *value;
    } table[] = {
        {KAFKA_CONSUMER, "group.id",                 "sendcode-worker"},
        {KAFKA_CONSUMER, "auto.offset.reset",        "smallest"       },
        {KAFKA_CONSUMER, "enable.auto.commit",       "false"          },
        {KAFKA_CONSUMER, "enable.auto.offset.store", "false"          },
        {KAFKA_CONSUMER, "socket.nagle.disable",     "true"           },
        {KAFKA_CONSUMER, "log.queue",                "true"           },
        {KAFKA_PRODUCER, "enable.idempotence",       "true"           },
        {KAFKA_PRODUCER, "delivery.timeout.ms",      "30000"          },
        {KAFKA_PRODUCER, "acks",                     "-1"             },
        {KAFKA_PRODUCER, "socket.nagle.disable",     "true"           },
        {KAFKA_ADMIN,    "log.queue",                "false"          },
        {KAFKA_ADMIN,    "statistics.interval.ms",   "0"              },
    };
    struct settings s;

    given(&s, NULL, NULL, NULL);
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        assert_property(&s, table[i].role, table[i].name, table[i].value);
    assert_property(&s, KAFKA_CONSUMER, "partition.assignment.strategy",
                    rd_kafka_version() >= 0x020a01ff ? "cooperative-sticky" : "range,roundrobin");
}

static void a_users_property_goes_verbatim_to_the_role_it_is_for(UNUSED void **state)
{
    static const struct {
        const char *name, *value;
        enum kafka_role role;
        const char *read, *expected;
    } table[] = {
        {"group.id",                      "other",              KAFKA_CONSUMER, "group.id",            "other"             },
        {"client.id",                     "mine",               KAFKA_CONSUMER, "client.id",           "mine"              },
        {"linger.ms",                     "0",                  KAFKA_PRODUCER, "linger.ms",           "0"                 },
        {"delivery.timeout.ms",           "7000",               KAFKA_PRODUCER, "message.timeout.ms",  "7000"              },
        {"message.timeout.ms",            "7000",               KAFKA_PRODUCER, "delivery.timeout.ms", "7000"              },
        {"auto.offset.reset",             "latest",             KAFKA_CONSUMER, "auto.offset.reset",   "largest"           },
        {"partition.assignment.strategy", "cooperative-sticky", KAFKA_CONSUMER,
         "partition.assignment.strategy",                                                              "cooperative-sticky"},
        {"sasl.password",                 "a;b #c",             KAFKA_PRODUCER, "sasl.password",       "a;b #c"            },
        {"enable.auto.commit",            "false",              KAFKA_CONSUMER, "enable.auto.commit",  "false"             },
 /* For one role only: the other keeps librdkafka's own. */
        {"group.id",                      "other",              KAFKA_PRODUCER, "group.id",            ""                  },
        {"linger.ms",                     "0",                  KAFKA_CONSUMER, "linger.ms",           "5"                 },
    };

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct settings s;
        struct property p;
        given(&s, &p, table[i].name, table[i].value);
        if (table[i].expected[0])
            assert_property(&s, table[i].role, table[i].read, table[i].expected);
        else
            rd_kafka_conf_destroy(kafka_conf_new(&s, table[i].role, NULL));
    }
}

static void a_property_for_one_role_does_not_fail_the_other(UNUSED void **state)
{
    struct settings s;
    struct property p;
    char why[256];

    given(&s, &p, "transactional.id", "x");
    rd_kafka_conf_t *conf = kafka_conf_new(&s, KAFKA_CONSUMER, NULL);
    assert_non_null(conf);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    assert_non_null(rk);
    rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

static void what_is_wrong_is_named_once_and_secrets_are_not(UNUSED void **state)
{
    static const struct {
        const char *name, *value, *expected; /* expected NULL: nothing is wrong */
    } table[] = {
        {"no.such.property",           "1",              "no.such.property"                            },
        {"fetch.wait.max.ms",          "soon",           "fetch.wait.max.ms"                           },
        {"security.protocol",          "carrier-pigeon", "security.protocol"                           },
        {"enable.auto.commit",         "true",           "enable.auto.commit: expected false"          },
        {"enable.auto.offset.store",   "true",           "enable.auto.offset.store: expected false"    },
        {"transactional.id",           "x",              "transactional.id: expected it to be left out"},
        {"acks",                       "1",              "acks: expected -1"                           },
        {"delivery.report.only.error", "true",           "delivery.report.only.error: expected false"  },
        {"ssl.ca.location",            "/no/such/file",  "ssl.ca.location"                             },
        {"session.timeout.ms",         "500000",         "max.poll.interval.ms"                        },
        {"acks",                       "all",            NULL                                          },
        {"group.id",                   "g",              NULL                                          },
        {"linger.ms",                  "2",              NULL                                          },
        {"message.max.bytes",          "20000000",       NULL                                          },
        {"debug",                      "cgrp",           NULL                                          },
    };

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct property all[] = {
            {.name = (char *)(uintptr_t)table[i].name,
             .value = (char *)(uintptr_t)table[i].value,
             .origin = (char *)(uintptr_t)table[i].name},
            {.name = (char *)(uintptr_t) "security.protocol",                                        .value = (char *)(uintptr_t) "ssl"},
        };
        bool ssl = strcmp(table[i].name, "ssl.ca.location") == 0;
        struct settings s = {.kafka = all, .n_kafka = ssl ? 2 : 1};
        struct buf faults = BUF_INIT;
        kafka_conf_check(&s, &faults);
        const char *text = buf_text(&faults);
        if (!table[i].expected && text[0])
            fail_msg("%s: %s", table[i].name, text);
        if (table[i].expected && !strstr(text, table[i].expected))
            fail_msg("%s: not named in: %s", table[i].name, text);
        if (table[i].expected)
            assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
        buf_free(&faults);
    }
}

static void two_processes_differ_in_client_id(UNUSED void **state)
{
    char first[128], second[128];
    size_t size = sizeof(first);
    struct settings s;

    given(&s, NULL, NULL, NULL);
    for (int i = 0; i < 2; i++) {
        rd_kafka_conf_t *conf = kafka_conf_new(&s, KAFKA_CONSUMER, NULL);
        size = sizeof(first);
        assert_int_equal(rd_kafka_conf_get(conf, "client.id", i ? second : first, &size), 0);
        rd_kafka_conf_destroy(conf);
    }
    assert_string_not_equal(first, second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_the_programs_own),
        cmocka_unit_test(a_users_property_goes_verbatim_to_the_role_it_is_for),
        cmocka_unit_test(a_property_for_one_role_does_not_fail_the_other),
        cmocka_unit_test(what_is_wrong_is_named_once_and_secrets_are_not),
        cmocka_unit_test(two_processes_differ_in_client_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

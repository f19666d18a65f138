/* Conditions of a Kafka client, the gravest said first. */
#include "worker/kafka/kafka_health.h"

#include <stdio.h>
#include <string.h>

#define VERSION_2_6_1 0x020601ff
#define FAILING_MAX 3
#define REPEAT_PERIOD_US (60 * US_PER_S)
#define OTHERS_PERIOD_US (10 * US_PER_S)

void kafka_health_init(struct kafka_health *h, const char *client, const char *brokers,
                       void (*fn)(void *arg, const char *why), void *arg)
{
    *h = (struct kafka_health){.client = client, .brokers = brokers, .fn = fn, .arg = arg};
    h->repeat.period_us = REPEAT_PERIOD_US;
    h->others.period_us = OTHERS_PERIOD_US;
}

static const char *condition(const struct kafka_health *h)
{
    if (h->fatal[0])
        return h->fatal;
    return h->down[0] ? h->down : h->topic;
}

static void say_if_changed(struct kafka_health *h)
{
    const char *why = condition(h);

    if (!why[0] && !h->alive)
        return; /* nothing is known yet */
    if (h->told && strcmp(why, h->said) == 0)
        return;
    snprintf(h->said, sizeof(h->said), "%s", why);
    h->told = true;
    if (why[0]) {
        (void)log_gate_reset(&h->repeat);
        kafka_health_tick(h);
    } else if (log_gate_reset(&h->repeat)) {
        log_info("Kafka is usable again", LS("client", h->client));
    }
    h->fn(h->arg, why[0] ? h->said : NULL);
}

void kafka_health_tick(struct kafka_health *h)
{
    int64_t dropped;

    if (h->said[0] && log_gate_open(&h->repeat, &dropped))
        log_warn(h->said, LS("client", h->client));
}

/* What to change, by the way in which connections fail. */
static const char *remedy(rd_kafka_resp_err_t err, const char *text)
{
    switch ((int)err) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
        /* It repeats its nonce there (librdkafka #4895). */
        if (strstr(text, "SCRAM") && rd_kafka_version() < VERSION_2_6_1)
            return "check user and password, and mind that librdkafka before 2.6.1 fails SCRAM "
                   "with Kafka 3.7.2 and newer: there, use sasl.mechanism = PLAIN over TLS";
        return "check [kafka] sasl.mechanism, sasl.username and SENDCODE_KAFKA_SASL_PASSWORD";
    case RD_KAFKA_RESP_ERR__SSL:
        return "check [kafka] security.protocol and ssl.ca.location";
    default:
        return "check [kafka] bootstrap.servers, and that the brokers run";
    }
}

static bool is_of_a_connection(rd_kafka_resp_err_t err)
{
    static const rd_kafka_resp_err_t all[] = {
        RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__RESOLVE,
        RD_KAFKA_RESP_ERR__SSL,       RD_KAFKA_RESP_ERR__AUTHENTICATION,
        RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
    };

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (err == all[i])
            return true;
    return false;
}

static void on_down(struct kafka_health *h, const char *text)
{
    h->alive = false;
    if (!h->down[0])
        snprintf(h->down, sizeof(h->down), "no Kafka broker is usable at %.100s (%.200s): %s",
                 h->brokers, h->transport[0] ? h->transport : text,
                 remedy(h->transport_err, h->transport));
    say_if_changed(h);
}

void kafka_health_on_error(struct kafka_health *h, rd_kafka_resp_err_t err, const char *text)
{
    int64_t dropped;

    if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        on_down(h, text);
    } else if (is_of_a_connection(err)) {
        h->transport_err = err;
        snprintf(h->transport, sizeof(h->transport), "%s", text);
    } else if (log_gate_open(&h->others, &dropped)) {
        log_warn("Kafka client error", LS("client", h->client), LS("error", rd_kafka_err2name(err)),
                 LS("text", text), LI("dropped", dropped));
    }
}

void kafka_health_on_alive(struct kafka_health *h)
{
    h->alive = true;
    h->failing = 0;
    h->down[0] = '\0';
    h->transport[0] = '\0';
    h->transport_err = RD_KAFKA_RESP_ERR_NO_ERROR;
    say_if_changed(h);
}

void kafka_health_on_brokers(struct kafka_health *h, enum broker_sight sight)
{
    if (sight == BROKERS_UP)
        kafka_health_on_alive(h);
    else if (sight == BROKERS_IDLE)
        h->failing = 0;
    else if (++h->failing >= FAILING_MAX)
        on_down(h, "no connection comes about");
}

void kafka_health_on_topic(struct kafka_health *h, const char *topic, rd_kafka_resp_err_t err)
{
    bool missing = err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
                   err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
                   err == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;

    if (missing)
        snprintf(
            h->topic, sizeof(h->topic),
            "the Kafka topic %.249s does not exist: make it with sendcodectl migrate --topics, "
            "or name another in [topics]",
            topic);
    else
        snprintf(h->topic, sizeof(h->topic), "the Kafka topic %.249s cannot be used: %.160s", topic,
                 rd_kafka_err2str(err));
    say_if_changed(h);
}

void kafka_health_on_topic_good(struct kafka_health *h)
{
    h->topic[0] = '\0';
    say_if_changed(h);
}

void kafka_health_on_fatal(struct kafka_health *h, const char *text)
{
    if (text)
        snprintf(h->fatal, sizeof(h->fatal), "Kafka's %s gave up: %.400s", h->client, text);
    else
        h->fatal[0] = '\0';
    say_if_changed(h);
}

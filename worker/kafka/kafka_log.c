/* librdkafka's log lines: one gate for each of its facilities ("FAIL", "REQTMOUT", …). */
#include "worker/kafka/kafka_log.h"

#include <string.h>
#include <uthash.h>

#include "common/log.h"
#include "common/mem.h"

#define GATE_PERIOD_US (10 * US_PER_S)
#define SYSLOG_WARNING 4
#define SYSLOG_INFO 6

struct kafka_log_gate {
    char *facility;
    struct log_gate gate;
    UT_hash_handle hh;
};

static struct log_gate *gate_of(struct kafka_log *log, const char *facility)
{
    struct kafka_log_gate *g;

    HASH_FIND_STR(log->gates, facility, g);
    if (!g) {
        g = mem_must_alloc(sizeof(*g));
        g->facility = mem_must_strdup(facility);
        g->gate.period_us = GATE_PERIOD_US;
        HASH_ADD_KEYPTR(hh, log->gates, g->facility, strlen(g->facility), g);
    }
    return &g->gate;
}

/* None of its lines is a call or a job that lost its way: librdkafka tries again by itself. */
static enum log_level level_of(int syslog_level, const char *facility)
{
    /* "allow.auto.create.topics=false not supported", again and again with librdkafka's mock. */
    if (strcmp(facility, "AUTOCREATE") == 0)
        return LOG_DEBUG;
    if (syslog_level <= SYSLOG_WARNING)
        return LOG_WARN;
    return syslog_level <= SYSLOG_INFO ? LOG_INFO : LOG_DEBUG;
}

void kafka_log_event(struct kafka_log *log, rd_kafka_event_t *ev)
{
    const char *facility = NULL;
    const char *text = NULL;
    int syslog_level = SYSLOG_INFO;
    int64_t dropped = 0;

    if (rd_kafka_event_log(ev, &facility, &text, &syslog_level) != 0)
        return;
    enum log_level level = level_of(syslog_level, facility);
    if (level != LOG_DEBUG && !log_gate_open(gate_of(log, facility), &dropped))
        return;
    log_at(level, "librdkafka says", LS("client", log->client), LS("facility", facility),
           LS("text", text), LI("dropped", dropped));
}

void kafka_log_free(struct kafka_log *log)
{
    struct kafka_log_gate *g, *next;

    HASH_ITER(hh, log->gates, g, next)
    {
        HASH_DEL(log->gates, g);
        mem_free(g->facility);
        mem_free(g);
    }
}

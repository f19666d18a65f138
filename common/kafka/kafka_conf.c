/*
 * Three layers of properties: our defaults, the user's [kafka], and what the programs rest on.
 * Which role a property is for is read from librdkafka's own list, so that new ones need no change.
 */
#include "common/kafka/kafka_conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/settings/settings.h"
#include "common/settings/settings_check.h"

#define FOR_CONSUMER 1u
#define FOR_PRODUCER 2u
#define FOR_BOTH (FOR_CONSUMER | FOR_PRODUCER)

/* Before this version cooperative-sticky can spin for ever (librdkafka #4800, mended in 2.6.1). */
#define VERSION_2_10_1 0x020a01ff

struct default_property {
    const char *name;
    const char *value;
    unsigned scope;
    bool classic; /* librdkafka refuses it together with group.protocol=consumer */
};

/*
 * One that this librdkafka does not know is skipped: newer versions have more.
 * - Sessions: a killed worker's jobs are worth something for a minute; others take over sooner.
 * - Prefetch, shared by all started partitions: at most 16 MB, and one response or one record more;
 *   more than a second of full load, the time after which librdkafka before 2.2 looks again.
 * - The broker answers a fetch as soon as there is a record; fetch.wait.max.ms is how long a new
 *   partition may have to wait for the fetch before it.
 * - Statistics: the producer's are how it learns that brokers are there, before its first event.
 * - Metadata: new topics and partitions are found within the refresh interval.
 */
static const struct default_property defaults[] = {
    {"socket.nagle.disable",               "true",            FOR_BOTH,     false},
    {"socket.keepalive.enable",            "true",            FOR_BOTH,     false},
    {"log.connection.close",               "false",           FOR_BOTH,     false},
    {"reconnect.backoff.max.ms",           "2000",            FOR_BOTH,     false},
    {"topic.metadata.refresh.interval.ms", "5000",            FOR_BOTH,     false},
    {"statistics.interval.ms",             "5000",            FOR_CONSUMER, false},
    {"statistics.interval.ms",             "1000",            FOR_PRODUCER, false},
    {"group.id",                           "sendcode-worker", FOR_CONSUMER, false},
    {"auto.offset.reset",                  "earliest",        FOR_CONSUMER, false},
    {"isolation.level",                    "read_committed",  FOR_CONSUMER, false},
    {"session.timeout.ms",                 "10000",           FOR_CONSUMER, true },
    {"heartbeat.interval.ms",              "3000",            FOR_CONSUMER, true },
    {"queued.min.messages",                "30000",           FOR_CONSUMER, false},
    {"queued.max.messages.kbytes",         "16384",           FOR_CONSUMER, false},
    {"fetch.queue.backoff.ms",             "50",              FOR_CONSUMER, false},
    {"fetch.max.bytes",                    "8388608",         FOR_CONSUMER, false},
    {"fetch.wait.max.ms",                  "50",              FOR_CONSUMER, false},
    {"enable.idempotence",                 "true",            FOR_PRODUCER, false},
    {"linger.ms",                          "5",               FOR_PRODUCER, false},
    {"delivery.timeout.ms",                "30000",           FOR_PRODUCER, false},
    {"topic.metadata.propagation.max.ms",  "5000",            FOR_PRODUCER, false},
    {"queue.buffering.max.messages",       "100000",          FOR_PRODUCER, false},
    {"queue.buffering.max.kbytes",         "65536",           FOR_PRODUCER, false},
};

/* What the programs rest on. value "": must not be set. */
static const struct fixed_property {
    const char *name;
    const char *value;
    unsigned scope;
    const char *why;
} fixed[] = {
    {"enable.auto.commit",         "false", FOR_CONSUMER,
     "offsets are committed when their jobs are recorded, not before"                                                     },
    {"enable.auto.offset.store",   "false", FOR_CONSUMER,
     "offsets are committed when their jobs are recorded, not before"                                                     },
    {"enable.partition.eof",       "false", FOR_CONSUMER, "the worker has no use for it"                                  },
    {"acks",                       "-1",    FOR_PRODUCER, "an event counts as published when all in-sync replicas have it"},
    {"delivery.report.only.error", "false", FOR_PRODUCER,
     "an offset is done when its event's delivery is reported"                                                            },
    {"transactional.id",           "",      FOR_PRODUCER, "transactions are not used"                                     },
};

static const char *brokers_property = "bootstrap.servers";

/* librdkafka's table of properties, as text; the caller frees it. NULL when there is no memory. */
static char *property_table_new(void)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);

    if (!f)
        return NULL;
    rd_kafka_conf_properties_show(f);
    if (fclose(f) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

/* Rows look like "name   |  C  | range | default | …", the second column being C, P or *. */
static unsigned property_scope(const char *table, const char *name)
{
    size_t len = strlen(name);

    for (const char *line = table; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, len) != 0 || line[len] != ' ')
            continue;
        const char *column = strchr(line, '|');
        column = column ? column + 1 + strspn(column + 1, " ") : "";
        return *column == 'C' ? FOR_CONSUMER : *column == 'P' ? FOR_PRODUCER : FOR_BOTH;
    }
    return FOR_BOTH;
}

static const struct fixed_property *fixed_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        if (strcmp(fixed[i].name, name) == 0)
            return &fixed[i];
    return NULL;
}

static bool conf_has(const rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char now[64];
    size_t size = sizeof(now);

    return rd_kafka_conf_get(conf, name, now, &size) == RD_KAFKA_CONF_OK && strcmp(now, value) == 0;
}

/* Sets the user's property; what is wrong with it becomes one line in faults. */
static void property_apply(rd_kafka_conf_t *conf, const struct property *p, struct buf *faults)
{
    char why[512];
    const struct fixed_property *f;
    rd_kafka_conf_res_t answer = rd_kafka_conf_set(conf, p->name, p->value, why, sizeof(why));

    if (answer == RD_KAFKA_CONF_UNKNOWN) {
        buf_add_fmt(faults, "%s: expected a property that librdkafka %s knows\n", p->origin,
                    rd_kafka_version_str());
        return;
    }
    if (answer == RD_KAFKA_CONF_INVALID) {
        why[strcspn(why, "\n")] = '\0';
        buf_add_fmt(faults, "%s: expected a value that librdkafka takes%s%s\n", p->origin,
                    check_is_secret_property(p->name) ? "" : ": ",
                    check_is_secret_property(p->name) ? "" : why);
        return;
    }
    f = fixed_find(p->name);
    if (f && f->value[0] == '\0')
        buf_add_fmt(faults, "%s: expected it to be left out: %s\n", p->origin, f->why);
    else if (f && !conf_has(conf, p->name, f->value))
        buf_add_fmt(faults, "%s: expected %s: %s\n", p->origin, f->value, f->why);
}

static void set_or_skip(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char why[256];

    (void)rd_kafka_conf_set(conf, name, value, why, sizeof(why));
}

/* Unique to the process: members that share one can spin in cooperative rebalances. */
static void set_client_id(rd_kafka_conf_t *conf)
{
    char host[64] = "host";
    char id[128];
    uint32_t salt = 0;

    if (gethostname(host, sizeof(host)) != 0)
        memcpy(host, "host", sizeof("host"));
    host[sizeof(host) - 1] = '\0';
    if (getrandom(&salt, sizeof(salt), GRND_NONBLOCK) != (ssize_t)sizeof(salt))
        salt = (uint32_t)(uintptr_t)conf;
    snprintf(id, sizeof(id), "sendcode-%s-%ld-%08x", host, (long)getpid(), salt);
    set_or_skip(conf, "client.id", id);
}

/* librdkafka refuses some of its properties together with others; the user's win over our defaults.
 */
static bool default_fits(const struct default_property *d, const struct settings *s, bool classic)
{
    if (d->classic && !classic)
        return false;
    return strcmp(d->name, "fetch.max.bytes") != 0 || !settings_kafka(s, "message.max.bytes");
}

static void set_defaults(rd_kafka_conf_t *conf, const struct settings *s, unsigned scope)
{
    const char *protocol = settings_kafka(s, "group.protocol");
    bool classic = !protocol || strcmp(protocol, "consumer") != 0;

    set_client_id(conf);
    for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
        if ((defaults[i].scope & scope) && default_fits(&defaults[i], s, classic))
            set_or_skip(conf, defaults[i].name, defaults[i].value);
    if ((scope & FOR_CONSUMER) && classic)
        set_or_skip(conf, "partition.assignment.strategy",
                    rd_kafka_version() >= VERSION_2_10_1 ? "cooperative-sticky"
                                                         : "range,roundrobin");
}

static void set_fixed(rd_kafka_conf_t *conf, enum kafka_role role, unsigned scope)
{
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        if ((fixed[i].scope & scope) && fixed[i].value[0] != '\0')
            set_or_skip(conf, fixed[i].name, fixed[i].value);
    if (role == KAFKA_ADMIN) {
        set_or_skip(conf, "statistics.interval.ms", "0");
        rd_kafka_conf_set_log_cb(conf, NULL);
    } else {
        set_or_skip(conf, "log.queue", "true");
    }
}

rd_kafka_conf_t *kafka_conf_new(const struct settings *s, enum kafka_role role, struct err *e)
{
    unsigned scope = role == KAFKA_CONSUMER ? FOR_CONSUMER : FOR_PRODUCER;
    struct buf faults = BUF_INIT;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char *table = property_table_new();

    set_defaults(conf, s, scope);
    for (size_t i = 0; i < s->n_kafka; i++)
        if (property_scope(table, s->kafka[i].name) & scope)
            property_apply(conf, &s->kafka[i], &faults);
    set_fixed(conf, role, scope);
    if (faults.len > 0) {
        const char *text = buf_text(&faults);
        err_set(e, ERR_PERM, 0, "%.*s", (int)strcspn(text, "\n"), text);
        rd_kafka_conf_destroy(conf);
        conf = NULL;
    }
    buf_free(&faults);
    free(table);
    return conf;
}

/* Properties that are good one by one may not be so together; a client without brokers tells. */
static void check_together(const struct settings *s, enum kafka_role role, struct buf *faults)
{
    char why[512];
    struct err e = {0};
    rd_kafka_conf_t *conf = kafka_conf_new(s, role, &e);
    rd_kafka_t *rk;

    if (!conf) {
        buf_add_fmt(faults, "%s\n", e.text);
        return;
    }
    set_or_skip(conf, brokers_property, NULL);
    rk = rd_kafka_new(role == KAFKA_CONSUMER ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf, why,
                      sizeof(why));
    if (!rk) {
        buf_add_fmt(faults, "[kafka] %s\n", why);
        rd_kafka_conf_destroy(conf);
        return;
    }
    rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

void kafka_conf_check(const struct settings *s, struct buf *faults)
{
    size_t before = faults->len;
    rd_kafka_conf_t *scratch = rd_kafka_conf_new();

    for (size_t i = 0; i < s->n_kafka; i++)
        property_apply(scratch, &s->kafka[i], faults);
    rd_kafka_conf_destroy(scratch);
    if (faults->len == before)
        check_together(s, KAFKA_CONSUMER, faults);
    if (faults->len == before)
        check_together(s, KAFKA_PRODUCER, faults);
}

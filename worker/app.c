/*
 * The one place where adapters meet ports. Order of construction is the order of dependence;
 * destruction is the reverse.
 */
#include "worker/app.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/crashpoint.h"
#include "common/err.h"
#include "common/kafka/kafka_conf.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/metrics.h"
#include "common/settings/settings.h"
#include "worker/admin.h"
#include "worker/health.h"
#include "worker/kafka/kafka_in.h"
#include "worker/kafka/kafka_out.h"
#include "worker/meters.h"
#include "worker/pg/pg_claims.h"
#include "worker/pg/pg_outcomes.h"
#include "worker/pg/pg_receipts.h"
#include "worker/pipeline.h"
#include "worker/receipts.h"
#include "worker/tencent/tencent_sms.h"

/* Supervisors that signal a process and its group send what is meant once twice. */
#define ONE_SIGNAL_US (200 * US_PER_MS)
#define END_GRACE_US (4 * US_PER_S) /* after `drain`: to leave the group and be gone */
#define TEAR_DOWN_S 1               /* and then to free what it has */

struct app {
    const char *config_path;
    struct loop *loop;
    struct loop_signal *term, *interrupt, *hangup;
    struct loop_timer *drain_timer, *end_timer;
    struct health health;
    struct meters meters;
    struct pipeline *pipeline;
    struct receipts *receipts;
    struct kafka_in *kafka_in;
    struct kafka_out *kafka_out;
    struct pg_claims *pg_claims;
    struct pg_outcomes *pg_outcomes;
    struct pg_receipts *pg_receipts;
    struct tencent_sms *tencent;
    struct jobs_source source;
    struct events events;
    struct claims claims;
    struct outcomes outcomes;
    struct sender sender;
    struct receipts_db receipts_db;
    struct receipts_provider receipts_provider;
    struct conversions_provider conversions_provider;
    struct admin *admin;
    bool ending;
    bool jobs_drained, receipts_drained;
    int64_t ending_since_us;
    int exit_code;
};

static void end_when_drained(struct app *a)
{
    if (!a->jobs_drained || !a->receipts_drained)
        return;
    CRASHPOINT("drained");
    log_info("drained; the group is left", LI("under_way", pipeline_under_way(a->pipeline)));
    loop_stop(a->loop);
}

static void on_drained(void *arg)
{
    struct app *a = arg;
    a->jobs_drained = true;
    end_when_drained(a);
}

static void on_receipts_drained(void *arg)
{
    struct app *a = arg;
    a->receipts_drained = true;
    end_when_drained(a);
}

/* The provider's queue gave them and does not give them again. */
static void give_receipts_up(struct app *a)
{
    a->receipts_drained = true;
    if (receipts_unstored(a->receipts) > 0)
        log_error("ending with receipts that PostgreSQL did not take",
                  LI("receipts", receipts_unstored(a->receipts)));
}

/*
 * What is under way now stays claimed; its record comes back and is found in doubt. The group is
 * left all the same, so that nobody has to wait for the session to time out.
 */
static void on_drain_over(void *arg)
{
    struct app *a = arg;
    log_warn("drain time is over; ending with jobs under way",
             LI("under_way", pipeline_under_way(a->pipeline)));
    give_receipts_up(a);
    loop_timer_start(a->end_timer, END_GRACE_US);
    pipeline_leave(a->pipeline);
}

static void on_grace_over(void *arg)
{
    struct app *a = arg;
    log_warn("the group could not be left in time");
    loop_stop(a->loop);
}

static void on_end_signal(void *arg)
{
    struct app *a = arg;
    if (a->ending && clock_boot_us() < a->ending_since_us + ONE_SIGNAL_US)
        return;
    if (a->ending) {
        log_warn("second signal: ending at once", LI("under_way", pipeline_under_way(a->pipeline)));
        give_receipts_up(a);
        loop_stop(a->loop);
        return;
    }
    a->ending = true;
    a->ending_since_us = clock_boot_us();
    int64_t drain_us = pipeline_settings(a->pipeline)->worker.drain * US_PER_S;
    log_info("draining", LI("under_way", pipeline_under_way(a->pipeline)),
             LI("at_most_s", drain_us / US_PER_S));
    loop_timer_start(a->drain_timer, drain_us);
    pipeline_drain(a->pipeline, on_drained, a);
    receipts_drain(a->receipts, on_receipts_drained, a);
    CRASHPOINT("draining");
}

static void apply_log_level(const struct settings *s)
{
    enum log_level level;
    if (log_level_from_text(s->worker.log_level, &level))
        log_set_level(level);
}

static void log_lines(struct buf *lines, enum log_level level, const char *msg)
{
    char *rest = lines->data, *line;
    while ((line = strsep(&rest, "\n")) != NULL) {
        if (*line)
            log_at(level, msg, LS("what", line));
    }
}

static void on_hangup(void *arg)
{
    struct app *a = arg;
    struct buf notes = BUF_INIT;
    struct settings *next =
        settings_load_checked(a->config_path, APP_NEEDS, kafka_conf_check, &notes);
    if (!next) {
        log_lines(&notes, LOG_ERROR, "the new configuration is faulty; the old one stays");
        buf_free(&notes);
        return;
    }
    buf_clear(&notes);
    struct settings *merged = settings_reload(pipeline_settings(a->pipeline), next, &notes);
    log_lines(&notes, LOG_WARN, "changed, but needs a restart");
    buf_free(&notes);
    apply_log_level(merged);
    pg_claims_set_settings(a->pg_claims, merged);
    pg_outcomes_set_settings(a->pg_outcomes, merged);
    tencent_sms_set_keys(a->tencent, merged);
    receipts_set_settings(a->receipts, merged);
    pipeline_set_settings(a->pipeline, merged);
    log_info("configuration read again", LS("file", a->config_path));
}

static void on_fatal(void *arg, const char *why)
{
    struct app *a = arg;
    log_fatal("the database's schema does not fit this program", LS("why", why));
    a->exit_code = EXIT_CONFIGURATION;
    loop_stop(a->loop);
}

static int make_signals(struct app *a)
{
    signal(SIGPIPE, SIG_IGN);
    a->term = loop_signal_new(a->loop, SIGTERM, on_end_signal, a);
    a->interrupt = loop_signal_new(a->loop, SIGINT, on_end_signal, a);
    a->hangup = loop_signal_new(a->loop, SIGHUP, on_hangup, a);
    a->drain_timer = loop_timer_new(a->loop, on_drain_over, a);
    a->end_timer = loop_timer_new(a->loop, on_grace_over, a);
    return a->term && a->interrupt && a->hangup && a->drain_timer && a->end_timer ? 0 : -1;
}

static int make_adapters(struct app *a, struct err *e)
{
    const struct settings *s = pipeline_settings(a->pipeline);
    const struct claims_handlers on_claims = pipeline_claims_handlers(a->pipeline);
    const struct outcomes_handlers on_outcomes = pipeline_outcomes_handlers(a->pipeline);
    const struct receipts_db_handlers on_receipts_db = receipts_db_handlers(a->receipts);
    const struct receipts_provider_handlers on_receipts = receipts_provider_handlers(a->receipts);
    const struct conversions_provider_handlers on_conversions =
        receipts_conversion_handlers(a->receipts);
    const struct sender_handlers on_sender = pipeline_sender_handlers(a->pipeline);
    const struct events_handlers on_events = pipeline_events_handlers(a->pipeline);
    const struct jobs_source_handlers on_source = pipeline_source_handlers(a->pipeline);

    a->admin =
        admin_new(a->loop, s->worker.admin_listen, a->meters.registry, &a->health, a->pipeline, e);
    if (!a->admin)
        return -1;
    a->pg_claims = pg_claims_new(a->loop, s, &on_claims, e);
    a->pg_outcomes = a->pg_claims ? pg_outcomes_new(a->loop, s, &on_outcomes, e) : NULL;
    a->pg_receipts = a->pg_outcomes ? pg_receipts_new(a->loop, s, &on_receipts_db, e) : NULL;
    if (!a->pg_receipts)
        return -1;
    a->tencent = tencent_sms_new(a->loop, s, &on_sender, (unsigned)s->worker.in_flight, e);
    if (!a->tencent)
        return -1;
    a->kafka_out = kafka_out_new(a->loop, s, &on_events, e);
    a->kafka_in = a->kafka_out ? kafka_in_new(a->loop, s, &on_source, e) : NULL;
    if (!a->kafka_in)
        return -1;
    a->claims = pg_claims_port(a->pg_claims);
    a->outcomes = pg_outcomes_port(a->pg_outcomes);
    a->events = kafka_out_port(a->kafka_out);
    a->source = kafka_in_port(a->kafka_in);
    a->sender = *tencent_sms_sender(a->tencent);
    a->receipts_db = pg_receipts_port(a->pg_receipts);
    a->receipts_provider = tencent_sms_receipts(a->tencent, &on_receipts);
    a->conversions_provider = tencent_sms_conversions(a->tencent, &on_conversions);
    return 0;
}

static void start(struct app *a)
{
    const struct ports ports = {
        .source = &a->source,
        .claims = &a->claims,
        .sender = &a->sender,
        .outcomes = &a->outcomes,
        .events = &a->events,
    };
    pipeline_start(a->pipeline, &ports);
    receipts_start(a->receipts, &a->receipts_db, &a->receipts_provider, &a->conversions_provider);
    log_info("worker started", LS("name", pipeline_settings(a->pipeline)->worker.name));
}

static volatile sig_atomic_t last_exit_code;

static void on_torn_down_too_long(int number)
{
    (void)number;
    _exit(last_exit_code);
}

/* Everything durable is done: nobody waits for a library that hangs in freeing itself. */
static void bound_tear_down(int exit_code)
{
    last_exit_code = exit_code;
    signal(SIGALRM, on_torn_down_too_long);
    alarm(TEAR_DOWN_S);
}

static void tear_down(struct app *a)
{
    kafka_in_free(a->kafka_in);
    tencent_sms_free(a->tencent);
    pg_claims_free(a->pg_claims);
    pg_outcomes_free(a->pg_outcomes);
    pg_receipts_free(a->pg_receipts);
    kafka_out_free(a->kafka_out);
    admin_free(a->admin);
    receipts_free(a->receipts);
    pipeline_free(a->pipeline);
    meters_free(&a->meters);
    loop_timer_free(a->drain_timer);
    loop_timer_free(a->end_timer);
    loop_signal_free(a->hangup);
    loop_signal_free(a->interrupt);
    loop_signal_free(a->term);
    loop_free(a->loop);
}

int app_run(const char *config_path, struct settings *settings)
{
    struct app a = {.config_path = config_path};
    struct err e = {0};
    apply_log_level(settings);
    health_init(&a.health);
    meters_init(&a.meters);
    a.loop = loop_new(&e);
    if (!a.loop) {
        settings_free(settings);
        meters_free(&a.meters);
        log_fatal("cannot start", LS("why", e.text));
        return EXIT_CONFIGURATION;
    }
    const struct pipeline_fatal fatal = {.fn = on_fatal, .arg = &a};
    a.pipeline = pipeline_new(a.loop, settings, &a.health, &a.meters, fatal);
    a.receipts = receipts_new(a.loop, settings, &a.meters);
    if (make_signals(&a) != 0 || make_adapters(&a, &e) != 0) {
        log_fatal("cannot start", LS("why", e.text));
        a.exit_code = EXIT_CONFIGURATION;
    } else {
        start(&a);
        loop_run(a.loop);
    }
    bound_tear_down(a.exit_code);
    tear_down(&a);
    alarm(0);
    return a.exit_code;
}

/*
 * Construction, wiring and the turning of the pipeline. The stages are run once at the end of a
 * turn of the loop, so that batches form by themselves: alone, a job goes at once; under load, by
 * the hundred.
 */
#include "common/loop.h"
#include "common/mem.h"
#include "common/metrics.h"
#include "common/settings/settings.h"
#include "worker/health.h"
#include "worker/joblog.h"
#include "worker/pipeline_parts.h"
#include "worker/settings_use.h"

#define TICK_US (250 * US_PER_MS)

const struct settings *pipeline_settings(const struct pipeline *p)
{
    return p->settings->settings;
}

static void commit(struct pipeline *p)
{
    if (p->committing || p->closing)
        return;
    p->n_commit = ownership_to_commit(&p->ownership, p->commit, PARTITIONS_MAX);
    if (p->n_commit == 0)
        return;
    p->committing = true;
    p->ports.source->commit(p->ports.source->self, p->commit, p->n_commit);
}

static void on_committed(void *arg, bool ok)
{
    struct pipeline *p = arg;
    p->committing = false;
    if (ok)
        ownership_on_committed(&p->ownership, p->commit, p->n_commit);
}

static void set_gauges(struct pipeline *p)
{
    const size_t *count = p->flights.count;
    metric_set(p->meters->in_flight, (double)(count[PLACE_CLAIMING] + count[PLACE_SENDING]));
    metric_set(p->meters->window, p->window.size);
    metric_set(p->meters->rate_share, (double)rate_cap_share(&p->rate, loop_now_us(p->loop)));
    metric_set(p->meters->held, (double)count[PLACE_HELD]);
    metric_set(p->meters->loop_lag, (double)loop_lag_us(p->loop) / (double)US_PER_S);
}

static void on_tick(void *arg)
{
    struct pipeline *p = arg;
    commit(p);
    set_gauges(p);
    loop_timer_start(p->tick, TICK_US);
    pipeline_wake(p);
}

static void give_credit(struct pipeline *p)
{
    size_t room = p->draining ? 0 : intake_room(p);
    if (room == 0 && p->allowed == 0)
        return;
    p->allowed = room;
    p->ports.source->allow(p->ports.source->self, room);
}

static void close_when_drained(struct pipeline *p)
{
    if (p->draining && pipeline_under_way(p) == 0)
        pipeline_leave(p);
}

/*
 * One request is under way at a time, and under full load there are always outcomes to record: who
 * asked last waits, so that chores and notes have their turn.
 */
static void ask_chores(struct pipeline *p)
{
    p->parked_first = !p->parked_first;
    if (!p->parked_first)
        chores_pump(&p->chores);
    settling_pump(p);
    parked_pump(p);
    chores_pump(&p->chores);
}

static void ask_outcomes(struct pipeline *p)
{
    if (!p->ports.outcomes->can_ask(p->ports.outcomes->self))
        return;
    if (p->chores_first)
        ask_chores(p);
    p->chores_first = recording_pump(p);
    ask_chores(p);
}

static void pump(void *arg)
{
    struct pipeline *p = arg;
    p->pump_deferred = false;
    if (p->gone) {
        mem_free(p);
        return;
    }
    ask_outcomes(p);
    claiming_pump(p);
    give_credit(p);
    close_when_drained(p);
}

void pipeline_wake(struct pipeline *p)
{
    if (p->pump_deferred || !p->started)
        return;
    p->pump_deferred = true;
    loop_defer(p->loop, pump, p);
}

static void wake(void *arg)
{
    pipeline_wake(arg);
}

static void on_hold_over(void *arg, struct flight *f, enum hold why)
{
    if (why == HOLD_UNRECORDED)
        pipeline_on_outcome(arg, f);
    else
        pipeline_make_ready(arg, f);
}

static void on_probed(void *arg, const char *why)
{
    struct pipeline *p = arg;
    stops_on_probed(&p->stops, why, loop_now_us(p->loop));
    if (!why)
        held_wake_stopped(&p->held, p->flights.at[PLACE_HELD]);
    pipeline_wake(p);
}

static void on_probe_timer(void *arg)
{
    struct pipeline *p = arg;
    if (stops_account_is_stopped(&p->stops))
        p->ports.sender->probe(p->ports.sender->self);
    loop_timer_start(p->probe_timer, pipeline_settings(p)->tencent.probe_interval * US_PER_S);
    pipeline_wake(p);
}

static void on_source_health(void *arg, const char *why)
{
    struct pipeline *p = arg;
    health_report(p->health, SERVICE_KAFKA_IN, why);
}

static void on_events_health(void *arg, const char *why)
{
    struct pipeline *p = arg;
    health_report(p->health, SERVICE_KAFKA_OUT, why);
}

static void on_claims_health(void *arg, const char *why)
{
    struct pipeline *p = arg;
    health_report(p->health, SERVICE_CLAIMS, why);
}

static void on_outcomes_health(void *arg, const char *why)
{
    struct pipeline *p = arg;
    health_report(p->health, SERVICE_OUTCOMES, why);
}

static void on_claims_idle(void *arg)
{
    struct pipeline *p = arg;
    p->schema_good = true;
    pipeline_wake(p);
}

/* At start the environment is wrong. Later, a schema that is being changed is waited out. */
static void on_schema_fault(void *arg, const char *why)
{
    struct pipeline *p = arg;
    if (!p->schema_good)
        p->fatal.fn(p->fatal.arg, why);
}

static void on_lag(void *arg, int32_t partition, int64_t records)
{
    struct pipeline *p = arg;
    meters_set_lag(p->meters, partition, records);
}

static void on_in_doubt(void *arg, int64_t jobs)
{
    struct pipeline *p = arg;
    metric_set(p->meters->in_doubt, (double)jobs);
}

static void on_outbox(void *arg, const struct outbox_row *rows, size_t n)
{
    struct pipeline *p = arg;
    /* Moves that sweeps and receipts make are counted by who announces them. */
    for (size_t i = 0; i < n; i++) {
        enum job_state state = rows[i].status.state;
        bool by_receipt = state == JOB_DELIVERED || state == JOB_UNDELIVERED;
        if (state == JOB_UNKNOWN || by_receipt)
            metric_add(p->meters->jobs[state], 1);
        if (by_receipt)
            joblog_receipt(&rows[i].status);
    }
    chores_on_outbox(&p->chores, rows, n);
}

static void on_swept(void *arg)
{
    struct pipeline *p = arg;
    chores_on_swept(&p->chores);
}

static void on_rate_share(void *arg, int64_t per_s, int64_t valid_us)
{
    struct pipeline *p = arg;
    rate_cap_on_share(&p->rate, per_s, valid_us, loop_now_us(p->loop));
    pipeline_wake(p);
}

static void on_closed(void *arg)
{
    struct pipeline *p = arg;
    p->drained(p->drained_arg);
}

struct jobs_source_handlers pipeline_source_handlers(struct pipeline *p)
{
    return (struct jobs_source_handlers){
        .arg = p,
        .assigned = intake_on_assigned,
        .revoked = intake_on_revoked,
        .record = intake_on_record,
        .committed = on_committed,
        .health = on_source_health,
        .lag = on_lag,
        .closed = on_closed,
    };
}

struct claims_handlers pipeline_claims_handlers(struct pipeline *p)
{
    return (struct claims_handlers){
        .arg = p,
        .epochs = claiming_on_epochs,
        .claimed = claiming_on_answers,
        .idle = on_claims_idle,
        .health = on_claims_health,
        .schema_fault = on_schema_fault,
    };
}

struct sender_handlers pipeline_sender_handlers(struct pipeline *p)
{
    return (struct sender_handlers){
        .arg = p,
        .gate = sending_on_gate,
        .sent = sending_on_result,
        .probed = on_probed,
        .ready = wake,
        .records = settling_on_records,
    };
}

struct outcomes_handlers pipeline_outcomes_handlers(struct pipeline *p)
{
    return (struct outcomes_handlers){
        .arg = p,
        .recorded = recording_on_answers,
        .noted = recording_on_noted,
        .outbox = on_outbox,
        .swept = on_swept,
        .idle = wake,
        .health = on_outcomes_health,
        .in_doubt = on_in_doubt,
        .rate_share = on_rate_share,
        .parked = parked_on_taken,
        .settled = settling_on_settled,
    };
}

struct events_handlers pipeline_events_handlers(struct pipeline *p)
{
    return (struct events_handlers){
        .arg = p,
        .published = announcing_on_published,
        .health = on_events_health,
    };
}

struct pipeline *pipeline_new(struct loop *l, struct settings *settings, struct health *health,
                              struct meters *meters, struct pipeline_fatal fatal)
{
    struct pipeline *p = mem_must_alloc(sizeof(*p));
    p->loop = l;
    p->settings = settings_use_new(settings);
    p->health = health;
    p->meters = meters;
    p->fatal = fatal;
    window_init(&p->window, (unsigned)settings->worker.in_flight);
    rate_cap_set_rate(&p->rate, settings->tencent.rate);
    stops_init(&p->stops, meters, settings->tencent.probe_interval * US_PER_S);
    settling_init(&p->settling);
    held_init(&p->held, l, on_hold_over, p);
    p->tick = loop_timer_new(l, on_tick, p);
    p->epoch_timer = loop_timer_new(l, wake, p);
    p->probe_timer = loop_timer_new(l, on_probe_timer, p);
    p->rate_timer = loop_timer_new(l, wake, p);
    return p;
}

void pipeline_start(struct pipeline *p, const struct ports *ports)
{
    p->ports = *ports;
    p->started = true;
    chores_init(&p->chores, p->loop, p->ports.outcomes, p->ports.events, &p->rate, wake, p);
    parked_init(p);
    loop_timer_start(p->tick, TICK_US);
    on_probe_timer(p);
}

void pipeline_free(struct pipeline *p)
{
    if (!p)
        return;
    for (int place = 0; place < PLACE_COUNT; place++) {
        while (p->flights.at[place]) {
            struct flight *f = p->flights.at[place];
            intake_let_go(p, f);
            flight_free(&p->flights, f);
        }
    }
    while (p->ownership.partitions)
        ownership_remove(&p->ownership, p->ownership.partitions);
    stops_free(&p->stops);
    settling_free(&p->settling);
    parked_free(p);
    chores_free(&p->chores);
    loop_timer_free(p->tick);
    loop_timer_free(p->epoch_timer);
    loop_timer_free(p->probe_timer);
    loop_timer_free(p->rate_timer);
    settings_use_drop(p->settings);
    p->gone = true;
    if (!p->pump_deferred)
        mem_free(p);
}

static bool is_scene(void *arg, const char *scene)
{
    return settings_scene(arg, scene, NULL) != NULL;
}

void pipeline_set_settings(struct pipeline *p, struct settings *settings)
{
    settings_use_drop(p->settings);
    p->settings = settings_use_new(settings);
    window_set_max(&p->window, (unsigned)settings->worker.in_flight);
    rate_cap_set_rate(&p->rate, settings->tencent.rate);
    p->stops.probe_interval_us = settings->tencent.probe_interval * US_PER_S;
    stops_on_reload(&p->stops, is_scene, settings, loop_now_us(p->loop));
    held_wake_stopped(&p->held, p->flights.at[PLACE_HELD]);
    pipeline_wake(p);
}

void pipeline_drain(struct pipeline *p, void (*done)(void *arg), void *arg)
{
    p->draining = true;
    p->drained = done;
    p->drained_arg = arg;
    pipeline_wake(p);
}

void pipeline_leave(struct pipeline *p)
{
    if (p->closing)
        return;
    p->closing = true;
    p->ports.source->close(p->ports.source->self);
}

void pipeline_say_stops(const struct pipeline *p, struct buf *out)
{
    stops_say(&p->stops, out);
}

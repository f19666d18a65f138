/* Makes every family at start, so that each is there with its # TYPE before the first job. */
#include "worker/meters.h"

#include <stdio.h>

#include "common/metrics.h"

#define STAGE_LABEL_(suffix, label) [STAGE_##suffix] = (label),
static const char *const stage_labels[STAGE_COUNT] = {STAGES(STAGE_LABEL_)};
#undef STAGE_LABEL_

static struct metric_cell *single(struct metrics *r, enum metric_type type, const char *name,
                                  const char *help)
{
    return metrics_cell(metrics_family(r, type, name, help, NULL), NULL);
}

#define CONVERSION_FATE_TEXT_(suffix, text) [CONVERSION_##suffix] = (text),
static const char *const fates[] = {CONVERSION_FATES(CONVERSION_FATE_TEXT_)};
#undef CONVERSION_FATE_TEXT_

static void make_job_counters(struct meters *m)
{
    struct metric_family *jobs = metrics_family(
        m->registry, METRIC_COUNTER, "sendcode_jobs_total",
        "Changes of a job's state, and records that are no job, by outcome.", "outcome");
    for (enum job_state s = JOB_CLAIMED; s < JOB_STATE_COUNT; s++)
        m->jobs[s] = metrics_cell(jobs, job_state_to_text(s));
    m->invalid = metrics_cell(jobs, "invalid");
    m->duplicate = metrics_cell(jobs, "duplicate");

    struct metric_family *attempts =
        metrics_family(m->registry, METRIC_COUNTER, "sendcode_attempts_total",
                       "Attempts to send, by what is known of them when they end.", "outcome");
    for (enum attempt_outcome o = 0; o < ATTEMPT_OUTCOME_COUNT; o++)
        m->attempts[o] = metrics_cell(attempts, attempt_outcome_to_text(o));

    struct metric_family *settled =
        metrics_family(m->registry, METRIC_COUNTER, "sendcode_settled_total",
                       "Questions about jobs in doubt, by how they ended.", "how");
    for (enum settled h = 0; h < SETTLED_COUNT; h++)
        m->settled[h] = metrics_cell(settled, settled_to_text(h));
}

static void make_receipt_meters(struct meters *m)
{
    struct metric_family *receipts =
        metrics_family(m->registry, METRIC_COUNTER, "sendcode_receipts_total",
                       "Carriers' receipts looked at, by what they were found to be.", "match");
    m->receipts_joined = metrics_cell(receipts, "joined");
    m->receipts_repeat = metrics_cell(receipts, "repeat");
    m->receipts_orphan = metrics_cell(receipts, "orphan");

    struct metric_family *fetched = metrics_family(
        m->registry, METRIC_COUNTER, "sendcode_receipts_fetched_total",
        "Receipts that the provider gave this worker when it asked, by how.", "source");
    for (enum receipt_source s = 0; s < RECEIPT_SOURCE_COUNT; s++)
        m->fetched[s] = metrics_cell(fetched, receipt_source_to_text(s));
    struct metric_family *conversions =
        metrics_family(m->registry, METRIC_COUNTER, "sendcode_conversions_total",
                       "Verified codes that the provider was told of, by what it said.", "outcome");
    for (enum conversion_fate f = 0; f < CONVERSION_FATE_COUNT; f++)
        m->conversions[f] = metrics_cell(conversions, fates[f]);
    m->receipts_waiting = single(m->registry, METRIC_GAUGE, "sendcode_receipts_waiting",
                                 "Receipts not joined yet, as of this worker's last look.");
}

static void make_gauges(struct meters *m)
{
    struct metrics *r = m->registry;
    m->in_flight = single(r, METRIC_GAUGE, "sendcode_in_flight",
                          "Jobs claimed or being claimed, with their request not yet answered.");
    m->window = single(r, METRIC_GAUGE, "sendcode_window",
                       "How many requests to the provider may be under way now.");
    m->rate_share = single(r, METRIC_GAUGE, "sendcode_rate_share",
                           "Jobs a second that this worker may send of the account's rate.");
    m->in_doubt = single(r, METRIC_GAUGE, "sendcode_in_doubt",
                         "Jobs in doubt in the database, as of the last sweep.");
    m->held = single(r, METRIC_GAUGE, "sendcode_held_jobs",
                     "Jobs held in memory: retries, busy phones, stopped scenes.");
    m->loop_lag = single(r, METRIC_GAUGE, "sendcode_loop_lag_seconds",
                         "How late the event loop's last tick was.");
    m->lag = metrics_family(r, METRIC_GAUGE, "sendcode_consumer_lag",
                            "Records of the partition not yet committed.", "partition");
    m->stopped = metrics_family(r, METRIC_GAUGE, "sendcode_intake_stopped",
                                "1 while intake is stopped for this reason.", "reason");
}

void meters_init(struct meters *m)
{
    m->registry = metrics_new();
    make_job_counters(m);
    make_receipt_meters(m);
    make_gauges(m);
    m->publish_to_accept =
        single(m->registry, METRIC_HISTOGRAM, "sendcode_publish_to_accept_seconds",
               "From the record's timestamp to the provider's acceptance.");
    struct metric_family *stages =
        metrics_family(m->registry, METRIC_HISTOGRAM, "sendcode_stage_seconds",
                       "Time a job spends in each stage.", "stage");
    for (enum stage s = 0; s < STAGE_COUNT; s++)
        m->stage[s] = metrics_cell(stages, stage_labels[s]);
    m->dead_letters = metrics_family(m->registry, METRIC_COUNTER, "sendcode_dead_letters_total",
                                     "Records put on the dead letter topic, by reason.", "reason");
    m->duplicate_sends = single(m->registry, METRIC_COUNTER, "sendcode_duplicate_sends_total",
                                "Jobs of which a second SMS was accepted. Alarming.");
    m->unkeyed = single(m->registry, METRIC_COUNTER, "sendcode_unkeyed_jobs_total",
                        "Jobs whose record key is missing or is not the phone.");
    m->limit_drift =
        single(m->registry, METRIC_COUNTER, "sendcode_limit_drift_total",
               "Jobs that the provider refused by its limits per number, which ours let through.");
}

void meters_free(struct meters *m)
{
    metrics_free(m->registry);
}

void meters_set_lag(struct meters *m, int32_t partition, int64_t records)
{
    char label[16];
    snprintf(label, sizeof(label), "%d", (int)partition);
    if (records < 0)
        metrics_drop(m->lag, label);
    else
        metric_set(metrics_cell(m->lag, label), (double)records);
}

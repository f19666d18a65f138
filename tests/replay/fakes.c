/* The fake ports: each call is written down. */
#include "tests/replay/fakes.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/domain/job_status.h"

void fakes_log(struct fakes *f, enum asked what, uint64_t ticket, const char *job,
               const char *detail)
{
    if (f->n_log == FAKE_LOG_MAX)
        panic("the scenario asks for more than %d things", FAKE_LOG_MAX);
    struct asked_for *a = &f->log[f->n_log++];
    *a = (struct asked_for){.what = what, .ticket = ticket, .at_us = clock_boot_us()};
    snprintf(a->job, sizeof(a->job), "%s", job);
    snprintf(a->detail, sizeof(a->detail), "%s", detail);
}

struct asked_for *fakes_find(struct fakes *f, enum asked what, const char *job)
{
    for (size_t i = 0; i < f->n_log; i++) {
        struct asked_for *a = &f->log[i];
        if (a->what == what && !a->answered && strcmp(a->job, job) == 0)
            return a;
    }
    return NULL;
}

const struct claim_ask *fakes_ask(const struct fakes *f, uint64_t ticket)
{
    for (size_t i = f->n_asks; i > 0; i--) {
        if (f->asks[i - 1].ticket == ticket)
            return &f->asks[i - 1];
    }
    panic("no claim under ticket %llu", (unsigned long long)ticket);
}

static void source_start(void *self, int32_t partition)
{
    (void)self;
    (void)partition;
}

static void source_allow(void *self, size_t n)
{
    struct fakes *f = self;
    f->credit = n;
}

void fakes_answer_commit(struct fakes *f)
{
    struct jobs_source_handlers h = pipeline_source_handlers(f->pipeline);
    if (!f->committing)
        return;
    f->committing = false;
    h.committed(h.arg, true);
}

static void source_commit(void *self, const struct source_offset *offsets, size_t n)
{
    struct fakes *f = self;
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < f->n_commits && f->commits[k].partition != offsets[i].partition)
            k++;
        if (k == f->n_commits)
            f->n_commits++;
        f->commits[k] = offsets[i];
    }
    f->committing = true;
    if (!f->commits_wait)
        fakes_answer_commit(f);
}

static void source_close(void *self)
{
    struct fakes *f = self;
    f->closing = true;
}

static bool claims_can_ask(void *self)
{
    const struct fakes *f = self;
    return !f->claims_busy && !f->claims_away;
}

static void claims_take_epochs(void *self, const struct epoch_ask *asks, size_t n)
{
    struct fakes *f = self;
    f->claims_busy = true;
    f->n_epoch_asks = n;
    memcpy(f->epoch_asks, asks, n * sizeof(*asks));
}

static void claims_claim(void *self, const struct claim_ask *asks, size_t n)
{
    struct fakes *f = self;
    f->claims_busy = true;
    for (size_t i = 0; i < n; i++) {
        fakes_log(f, ASKED_CLAIM, asks[i].ticket, asks[i].job->job_id,
                  asks[i].refusal == REASON_NONE ? "" : job_reason_to_text(asks[i].refusal));
        f->asks[f->n_asks++] = asks[i];
    }
}

static bool sender_is_ready(void *self)
{
    const struct fakes *f = self;
    return !f->sender_not_ready;
}

static void sender_send(void *self, uint64_t ticket, const struct sms *sms)
{
    char detail[160] = "";
    for (size_t i = 0; i < sms->n_params; i++)
        snprintf(detail + strlen(detail), sizeof(detail) - strlen(detail), "%s%s", i ? "," : "",
                 sms->params[i]);
    fakes_log(self, ASKED_SEND, ticket, sms->session_context, detail);
}

static void sender_probe(void *self)
{
    struct fakes *f = self;
    f->probes++;
}

static bool outcomes_can_ask(void *self)
{
    const struct fakes *f = self;
    return !f->outcomes_busy && !f->outcomes_away;
}

static void outcomes_record(void *self, const struct outcome *rows, size_t n)
{
    struct fakes *f = self;
    f->outcomes_busy = true;
    for (size_t i = 0; i < n; i++) {
        char detail[160];
        const char *reason = job_reason_to_text(rows[i].reason);
        int len = snprintf(detail, sizeof(detail), "%s%s%s", job_state_to_text(rows[i].state),
                           reason ? " " : "", reason ? reason : "");
        if (rows[i].has_retry_after)
            snprintf(detail + len, sizeof(detail) - (size_t)len, " retry_after=%d",
                     (int)rows[i].retry_after);
        fakes_log(f, ASKED_RECORD, rows[i].ticket, rows[i].job_id, detail);
    }
}

static void outcomes_note(void *self, const struct note *notes, size_t n)
{
    struct fakes *f = self;
    f->outcomes_busy = true;
    for (size_t i = 0; i < n; i++) {
        char at[40];
        snprintf(at, sizeof(at), "%d:%lld", (int)notes[i].partition, (long long)notes[i].offset);
        fakes_log(f, ASKED_NOTE, notes[i].ticket, at, notes[i].reason ? notes[i].reason : "gap");
    }
}

static void outcomes_take_outbox(void *self)
{
    struct fakes *f = self;
    f->outcomes_busy = f->chores_wait;
    f->takes++;
}

static void outcomes_outbox_done(void *self, const int64_t *ids, size_t n)
{
    struct fakes *f = self;
    for (size_t i = 0; i < n; i++) {
        char id[24];
        snprintf(id, sizeof(id), "%lld", (long long)ids[i]);
        fakes_log(f, ASKED_OUTBOX, 0, id, "done");
    }
}

static void outcomes_sweep(void *self)
{
    struct fakes *f = self;
    f->outcomes_busy = f->chores_wait;
    f->sweeps++;
}

static void outcomes_share_rate(void *self, int64_t rate, int64_t demand)
{
    struct fakes *f = self;
    f->outcomes_busy = f->chores_wait;
    f->shares++;
    f->share_rate = rate;
    f->share_demand = demand;
}

static void sender_query_records(void *self, uint64_t ticket, const struct records_query *q)
{
    char since[32];
    snprintf(since, sizeof(since), "%lld", (long long)(q->since_us / US_PER_S));
    fakes_log(self, ASKED_QUERY, ticket, q->phone, since);
}

static void outcomes_take_parked(void *self, const struct parked_ask *ask)
{
    struct fakes *f = self;
    f->outcomes_busy = f->chores_wait;
    f->parked_takes++;
    f->parked_ask = *ask;
}

static void outcomes_settle(void *self, const struct settlement *s)
{
    struct fakes *f = self;
    char detail[160];
    snprintf(detail, sizeof(detail), "%s %zu", s->whole ? "whole" : "not_whole", s->n_records);
    for (size_t i = 0; i < s->n_records; i++)
        snprintf(detail + strlen(detail), sizeof(detail) - strlen(detail), " %s@%lld:%s",
                 s->records[i].serial_no, (long long)(s->records[i].after_take_us / US_PER_S),
                 job_state_to_text(s->records[i].state));
    f->outcomes_busy = true;
    fakes_log(f, ASKED_SETTLE, s->ticket, s->job_id, detail);
}

static void outcomes_release(void *self, const struct parked_release *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char wait[32];
        snprintf(wait, sizeof(wait), "%lld", (long long)(rows[i].wait_us / US_PER_S));
        fakes_log(self, ASKED_RELEASE, 0, rows[i].job_id, wait);
    }
}

static void events_publish(void *self, uint64_t ticket, const struct job_status *s)
{
    char detail[160];
    const char *reason = job_reason_to_text(s->reason);
    snprintf(detail, sizeof(detail), "%s%s%s", job_state_to_text(s->state), reason ? " " : "",
             reason ? reason : "");
    fakes_log(self, ASKED_EVENT, ticket, s->job_id, detail);
}

static void events_dead_letter(void *self, uint64_t ticket, const struct dead_letter *letter)
{
    char at[40];
    snprintf(at, sizeof(at), "%d:%lld", (int)letter->record->partition,
             (long long)letter->record->offset);
    fakes_log(self, ASKED_DEAD, ticket, at, letter->omit_code ? "omitted" : letter->error);
}

static size_t events_unacked(void *self)
{
    const struct fakes *f = self;
    size_t n = f->unacked;
    for (size_t i = 0; i < f->n_log; i++)
        n += (f->log[i].what == ASKED_EVENT || f->log[i].what == ASKED_DEAD) && !f->log[i].answered;
    return n;
}

void fakes_init(struct fakes *f)
{
    *f = (struct fakes){.sender_not_ready = false};
    f->source = (struct jobs_source){.self = f,
                                     .start = source_start,
                                     .allow = source_allow,
                                     .commit = source_commit,
                                     .close = source_close};
    f->claims = (struct claims){.self = f,
                                .can_ask = claims_can_ask,
                                .take_epochs = claims_take_epochs,
                                .claim = claims_claim};
    f->sender = (struct sender){.self = f,
                                .is_ready = sender_is_ready,
                                .send = sender_send,
                                .probe = sender_probe,
                                .query_records = sender_query_records};
    f->outcomes = (struct outcomes){.self = f,
                                    .can_ask = outcomes_can_ask,
                                    .record = outcomes_record,
                                    .note = outcomes_note,
                                    .take_outbox = outcomes_take_outbox,
                                    .outbox_done = outcomes_outbox_done,
                                    .sweep = outcomes_sweep,
                                    .share_rate = outcomes_share_rate,
                                    .take_parked = outcomes_take_parked,
                                    .settle = outcomes_settle,
                                    .release = outcomes_release};
    f->events = (struct events){.self = f,
                                .publish = events_publish,
                                .dead_letter = events_dead_letter,
                                .unacked = events_unacked};
}

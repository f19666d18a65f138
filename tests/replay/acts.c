/* What happens to jobs in a scenario: records, and the answers to what the worker asks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/text.h"
#include "tests/replay/fake_loop.h"
#include "tests/replay/replay.h"

struct asked_for *acts_must_find(struct replay *r, const struct line *l, enum asked what)
{
    struct asked_for *a = fakes_find(&r->fakes, what, line_word(l, 1));
    if (!a)
        replay_fail(l, "%s: nothing of that kind is waiting for %s", l->words[0], l->words[1]);
    a->answered = true;
    return a;
}

/* True when everything asked of that kind is answered. */
static bool all_answered(const struct fakes *f, enum asked what)
{
    for (size_t i = 0; i < f->n_log; i++) {
        if (f->log[i].what == what && !f->log[i].answered)
            return false;
    }
    return true;
}

static size_t partitions(const struct line *l, int32_t out[WORDS_MAX])
{
    size_t n = 0;
    for (size_t i = 1; i < l->n; i++) {
        if (strcmp(l->words[i], "lost") != 0)
            out[n++] = (int32_t)strtol(l->words[i], NULL, 10);
    }
    return n;
}

static void act_assign(struct replay *r, const struct line *l)
{
    int32_t list[WORDS_MAX];
    struct jobs_source_handlers h = pipeline_source_handlers(r->fakes.pipeline);
    h.assigned(h.arg, list, partitions(l, list));
}

static void act_revoke(struct replay *r, const struct line *l)
{
    int32_t list[WORDS_MAX];
    struct source_offset commit[WORDS_MAX];
    size_t n = partitions(l, list);
    struct jobs_source_handlers h = pipeline_source_handlers(r->fakes.pipeline);
    size_t k = h.revoked(h.arg, list, n, line_has(l, "lost"), commit);
    if (k > 0)
        r->fakes.source.commit(&r->fakes, commit, k);
}

static void act_epoch_reply(struct replay *r, const struct line *l)
{
    struct fakes *f = &r->fakes;
    struct epoch_answer answers[16];
    if (f->n_epoch_asks == 0)
        replay_fail(l, "no epoch was asked for");
    for (size_t i = 0; i < f->n_epoch_asks; i++) {
        answers[i] = (struct epoch_answer){
            .partition = f->epoch_asks[i].partition,
            .epoch = line_number(l, "epoch", 1),
            .incarnation = (int32_t)line_number(l, "incarnation", 0),
            .next_offset = line_number(l, "next", 0),
        };
    }
    size_t n = f->n_epoch_asks;
    f->n_epoch_asks = 0;
    f->claims_busy = false;
    struct claims_handlers h = pipeline_claims_handlers(f->pipeline);
    h.epochs(h.arg, answers, n);
    h.idle(h.arg);
}

static void add_time(struct buf *b, const char *name, int64_t wall_us)
{
    char text[TEXT_TIME_SIZE];
    text_from_time_us(wall_us, text);
    buf_add_fmt(b, ",\"%s\":\"%s\"", name, text);
}

static void make_value(const struct line *l, struct buf *value)
{
    int64_t at = clock_wall_us() + line_duration_us(l, line_value(l, "at", "0s"));
    const char *deadline = line_value(l, "deadline", NULL);
    buf_add_fmt(value, "{\"v\":1,\"job_id\":\"%s\",\"phone\":\"%s\",\"scene\":\"%s\"",
                line_value(l, "job", "j1"), line_value(l, "phone", "+8613800138000"),
                line_value(l, "scene", "register"));
    add_time(value, "requested_at", at);
    if (deadline)
        add_time(value, "deadline", at + line_duration_us(l, deadline));
    buf_add_text(value, line_value(l, "more", ""));
    buf_add_char(value, '}');
}

static void act_message(struct replay *r, const struct line *l)
{
    struct buf value = BUF_INIT;
    int partition = 0;
    long long offset = 0;
    if (sscanf(line_word(l, 1), "%d:%lld", &partition, &offset) != 2)
        replay_fail(l, "PARTITION:OFFSET is missing");
    const char *raw = line_value(l, "raw", NULL);
    int64_t fill = line_number(l, "fill", 0);
    while (fill-- > 0)
        buf_add_char(&value, 'x');
    if (raw)
        buf_add_text(&value, raw);
    else if (value.len == 0)
        make_value(l, &value);
    const char *key = line_value(l, "key", line_value(l, "phone", "+8613800138000"));
    const struct record rec = {
        .partition = partition,
        .offset = offset,
        .published_us = clock_wall_us(),
        .log_end = line_number(l, "end", offset + 1),
        .key = key,
        .key_len = strlen(key),
        .value = line_has(l, "tombstone") ? NULL : value.data,
        .value_len = value.len,
    };
    struct jobs_source_handlers h = pipeline_source_handlers(r->fakes.pipeline);
    if (r->fakes.credit > 0)
        r->fakes.credit--;
    h.record(h.arg, &rec);
    buf_free(&value);
}

static const char *const claim_verdicts[] = {
    [CLAIM_SEND] = "send",
    [CLAIM_DECIDED] = "decided",
    [CLAIM_KNOWN] = "known",
    [CLAIM_DUPLICATE] = "duplicate",
    [CLAIM_BUSY] = "busy",
    [CLAIM_WAIT] = "wait",
    [CLAIM_FENCED] = "fenced",
    [CLAIM_FUTURE] = "future",
    [CLAIM_ROW_REFUSED] = "row_refused",
    [CLAIM_ROW_ODD] = "row_odd",
};

static enum claim_verdict read_verdict(const struct line *l)
{
    for (size_t i = 0; i < ARRAY_LEN(claim_verdicts); i++) {
        if (strcmp(line_word(l, 2), claim_verdicts[i]) == 0)
            return (enum claim_verdict)i;
    }
    replay_fail(l, "%s is no verdict", l->words[2]);
}

/* Status as the line says it, else as `otherwise` ("state" or "state reason"). */
struct job_status acts_read_status(const struct line *l, const char *job, const char *otherwise)
{
    char state[32] = "", reason[32] = "";
    struct job_status s = {.job_id = job, .phone = "+8613800138000", .scene = "register"};
    if (sscanf(otherwise, "%31s %31s", state, reason) < 1)
        replay_fail(l, "state is missing");
    if (!job_state_from_text(line_value(l, "state", state), &s.state))
        replay_fail(l, "no such state");
    const char *why = line_value(l, "reason", line_value(l, "state", NULL) ? "" : reason);
    if (why[0] && !job_reason_from_text(why, &s.reason))
        replay_fail(l, "no such reason");
    s.attempt = (int32_t)line_number(l, "attempt", 1);
    s.seq = (int32_t)line_number(l, "seq", 1);
    s.at_us = clock_wall_us();
    return s;
}

/* MESSAGES PARTITION:FIRST-LAST …: one a record, each of a job and phone of its own: "jOFFSET". */
static void act_messages(struct replay *r, const struct line *l)
{
    int partition = 0;
    long long first = 0, last = -1;
    if (sscanf(line_word(l, 1), "%d:%lld-%lld", &partition, &first, &last) != 3)
        replay_fail(l, "PARTITION:FIRST-LAST is missing");
    for (long long offset = first; offset <= last; offset++) {
        char at[40], job[32], phone[32];
        struct line one = *l;
        snprintf(at, sizeof(at), "%d:%lld", partition, offset);
        snprintf(job, sizeof(job), "job=j%lld", offset);
        snprintf(phone, sizeof(phone), "phone=+86138%08lld", offset);
        one.words[1] = at;
        if (one.n + 2 > WORDS_MAX)
            replay_fail(l, "more than %d words", WORDS_MAX);
        one.words[one.n++] = job;
        one.words[one.n++] = phone;
        act_message(r, &one);
    }
}

static void act_claim_reply(struct replay *r, const struct line *l)
{
    struct asked_for *a = acts_must_find(r, l, ASKED_CLAIM);
    struct claim_answer answer = {.ticket = a->ticket, .verdict = read_verdict(l)};
    answer.wait_us = line_duration_us(l, line_value(l, "wait", "0s"));
    answer.deadline_in_us = line_duration_us(l, line_value(l, "deadline", "60s"));
    answer.life_us = line_duration_us(l, line_value(l, "life", "300s"));
    answer.day_us = 0;
    answer.code_length = 6;
    const struct claim_ask *ask = fakes_ask(&r->fakes, a->ticket);
    memcpy(answer.nonce, ask->nonce, sizeof(answer.nonce));
    memcpy(answer.proof, ask->proof, sizeof(answer.proof));
    memcpy(answer.key_id, ask->key_id, sizeof(answer.key_id));
    if (line_has(l, "foreign_proof"))
        answer.proof[0] ^= 1;
    bool says = answer.verdict == CLAIM_SEND || answer.verdict == CLAIM_DECIDED ||
                answer.verdict == CLAIM_KNOWN || answer.verdict == CLAIM_DUPLICATE;
    if (says)
        answer.status = acts_read_status(l, a->job, "claimed");
    struct claims_handlers h = pipeline_claims_handlers(r->fakes.pipeline);
    h.claimed(h.arg, &answer, 1);
    if (all_answered(&r->fakes, ASKED_CLAIM)) {
        r->fakes.claims_busy = false;
        h.idle(h.arg);
    }
}

static void act_send_reply(struct replay *r, const struct line *l)
{
    struct asked_for *a = acts_must_find(r, l, ASKED_SEND);
    struct sender_handlers h = pipeline_sender_handlers(r->fakes.pipeline);
    struct send_result result = {.transport = SEND_NOT_SENT, .started_us = a->at_us};
    const char *code = line_value(l, "code", line_has(l, "ok") ? "Ok" : NULL);
    result.signature_age_us = line_duration_us(l, line_value(l, "age", "0s"));
    if (!line_has(l, "not_sent")) {
        if (!h.gate(h.arg, a->ticket))
            result.gate_refused = true;
        else
            result.transport = code ? SEND_ANSWERED : SEND_NO_ANSWER;
    }
    if (result.transport == SEND_ANSWERED) {
        result.http_status = (int)line_number(l, "status", 200);
        result.top_level = line_has(l, "top");
        result.accepted = line_has(l, "ok");
        snprintf(result.code, sizeof(result.code), "%s", code);
        if (result.accepted)
            snprintf(result.serial_no, sizeof(result.serial_no), "S-%.60s", a->job);
    }
    h.sent(h.arg, a->ticket, &result);
}

static void act_record_reply(struct replay *r, const struct line *l)
{
    struct asked_for *a = acts_must_find(r, l, ASKED_RECORD);
    struct outcome_answer answer = {.ticket = a->ticket, .applied = !line_has(l, "not_applied")};
    answer.duplicate_send = line_has(l, "duplicate_send");
    answer.refused_row = line_has(l, "row_refused");
    answer.odd_row = line_has(l, "row_odd");
    answer.status = acts_read_status(l, a->job, a->detail);
    struct outcomes_handlers h = pipeline_outcomes_handlers(r->fakes.pipeline);
    h.recorded(h.arg, &answer, 1);
    if (all_answered(&r->fakes, ASKED_RECORD)) {
        r->fakes.outcomes_busy = false;
        h.idle(h.arg);
    }
}

static void act_note_reply(struct replay *r, const struct line *l)
{
    struct asked_for *a = acts_must_find(r, l, ASKED_NOTE);
    struct outcomes_handlers h = pipeline_outcomes_handlers(r->fakes.pipeline);
    h.noted(h.arg, &a->ticket, 1);
    if (all_answered(&r->fakes, ASKED_NOTE)) {
        r->fakes.outcomes_busy = false;
        h.idle(h.arg);
    }
}

static void act_ack(struct replay *r, const struct line *l)
{
    struct asked_for *a = fakes_find(&r->fakes, ASKED_EVENT, line_word(l, 1));
    if (!a)
        a = acts_must_find(r, l, ASKED_DEAD);
    a->answered = true;
    struct events_handlers h = pipeline_events_handlers(r->fakes.pipeline);
    h.published(h.arg, a->ticket);
}

static void act_outbox_reply(struct replay *r, const struct line *l)
{
    struct fakes *f = &r->fakes;
    struct outcomes_handlers h = pipeline_outcomes_handlers(f->pipeline);
    size_t n = line_has(l, "empty") ? 0 : 1;
    struct outbox_row row = {.id = line_number(l, "id", 1)};
    if (f->takes == 0)
        replay_fail(l, "the outbox was not asked for");
    f->takes--;
    f->outcomes_busy = false;
    if (n)
        row.status = acts_read_status(l, line_value(l, "job", "j1"), "unknown");
    h.outbox(h.arg, &row, n);
    h.idle(h.arg);
}

static const struct act acts[] = {
    {"ASSIGN",       act_assign      },
    {"REVOKE",       act_revoke      },
    {"EPOCH_REPLY",  act_epoch_reply },
    {"MESSAGE",      act_message     },
    {"MESSAGES",     act_messages    },
    {"CLAIM_REPLY",  act_claim_reply },
    {"SEND_REPLY",   act_send_reply  },
    {"RECORD_REPLY", act_record_reply},
    {"NOTE_REPLY",   act_note_reply  },
    {"ACK",          act_ack         },
    {"OUTBOX_REPLY", act_outbox_reply},
};

/* "*" in place of a job: all of that kind that wait for their answer, until none does. */
static void run_for_all(struct replay *r, const struct line *l, enum asked what)
{
    for (size_t i = 0; i < r->fakes.n_log; i++) {
        struct asked_for *a = &r->fakes.log[i];
        struct line one = *l;
        one.words[1] = a->job;
        if (a->what == what && !a->answered)
            (void)replay_run(r, &one, acts, ARRAY_LEN(acts));
    }
}

bool acts_run(struct replay *r, const struct line *l)
{
    static const struct {
        const char *name;
        enum asked what;
    } answers[] = {
        {"CLAIM_REPLY",  ASKED_CLAIM },
        {"SEND_REPLY",   ASKED_SEND  },
        {"RECORD_REPLY", ASKED_RECORD},
        {"ACK",          ASKED_EVENT }
    };
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        if (l->n > 1 && strcmp(l->words[1], "*") == 0 &&
            strcmp(l->words[0], answers[i].name) == 0) {
            run_for_all(r, l, answers[i].what);
            return true;
        }
    }
    return replay_run(r, l, acts, ARRAY_LEN(acts));
}

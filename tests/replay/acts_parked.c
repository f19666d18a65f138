/* What happens to parked jobs in a scenario: leases, the provider's records, judgements. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "tests/replay/fake_loop.h"
#include "tests/replay/replay.h"

#define RECORDS_MAX 8

/* PARKED_REPLY doubt|retry JOB …; empty: nothing is due. */
static void act_parked_reply(struct replay *r, const struct line *l)
{
    struct fakes *f = &r->fakes;
    struct outcomes_handlers h = pipeline_outcomes_handlers(f->pipeline);
    bool empty = line_has(l, "empty");
    if (f->parked_takes == 0)
        replay_fail(l, "no parked job was asked for");
    f->parked_takes = 0;
    f->outcomes_busy = false;
    struct parked_job job = {
        .kind = line_has(l, "retry") ? PARKED_RETRY : PARKED_DOUBT,
        .lease = line_number(l, "lease", 1),
        .job_id = empty ? NULL : line_word(l, 2),
        .phone = line_value(l, "phone", "+8613800138000"),
        .scene = line_value(l, "scene", "register"),
        .requested_us = clock_wall_us(),
        .deadline_us = clock_wall_us() + line_duration_us(l, line_value(l, "deadline", "60s")),
        .partition = (int32_t)line_number(l, "partition", 0),
        .incarnation = 1,
        .epoch = line_number(l, "epoch", 1),
        .attempt = (int32_t)line_number(l, "attempt", 1),
        .claimed_ago_us = line_duration_us(l, line_value(l, "ago", "10s")),
    };
    int64_t took_us = line_duration_us(l, line_value(l, "took", "0s"));
    h.parked(h.arg, &job, empty ? 0 : 1, clock_boot_us() - took_us);
    h.idle(h.arg);
}

/* RECORDS_REPLY PHONE whole|not_whole [code=…] [SERIAL | SERIAL:REQUEST_CODE]…, each taken just
 * now. */
static void act_records_reply(struct replay *r, const struct line *l)
{
    struct asked_for *a = acts_must_find(r, l, ASKED_QUERY);
    struct sender_handlers h = pipeline_sender_handlers(r->fakes.pipeline);
    struct send_record records[RECORDS_MAX] = {{.at_us = 0}};
    struct records_answer answer = {.whole = line_has(l, "whole"), .records = records};
    snprintf(answer.code, sizeof(answer.code), "%s", line_value(l, "code", ""));
    if (!answer.whole)
        snprintf(answer.why, sizeof(answer.why), "the scenario says so");
    for (size_t i = 3; i < l->n && answer.n < RECORDS_MAX; i++) {
        struct send_record *rec = &records[answer.n];
        const char *colon = strchr(l->words[i], ':');
        if (strchr(l->words[i], '='))
            continue;
        size_t len = colon ? (size_t)(colon - l->words[i]) : strlen(l->words[i]);
        snprintf(rec->serial_no, sizeof(rec->serial_no), "%.*s", (int)len, l->words[i]);
        snprintf(rec->code, sizeof(rec->code), "%s", colon ? colon + 1 : "");
        rec->accepted = colon == NULL;
        rec->at_us = clock_boot_us();
        answer.n++;
    }
    h.records(h.arg, a->ticket, &answer);
}

/* SETTLE_REPLY JOB HOW [state=…] */
static void act_settle_reply(struct replay *r, const struct line *l)
{
    struct asked_for *a = acts_must_find(r, l, ASKED_SETTLE);
    struct outcomes_handlers h = pipeline_outcomes_handlers(r->fakes.pipeline);
    struct settlement_answer answer = {.ticket = a->ticket};
    if (!settled_from_text(line_word(l, 2), &answer.how))
        replay_fail(l, "%s: no such end", l->words[2]);
    if (answer.how != SETTLED_PASSED && answer.how != SETTLED_ODD)
        answer.status = acts_read_status(l, a->job, "in_doubt");
    r->fakes.outcomes_busy = false;
    h.settled(h.arg, &answer);
    h.idle(h.arg);
}

/* SENDER away: it does not know the provider's clock. */
static void act_sender(struct replay *r, const struct line *l)
{
    r->fakes.sender_not_ready = strcmp(line_word(l, 1), "away") == 0;
}

/* EXPECT_PARKED_ASK doubts=N retries=N: the last taking asked for so many. */
static void expect_parked_ask(struct replay *r, const struct line *l)
{
    const struct parked_ask *ask = &r->fakes.parked_ask;
    if (r->fakes.parked_takes == 0)
        replay_fail(l, "no parked job was asked for");
    if (line_number(l, "doubts", ask->doubts) != ask->doubts ||
        line_number(l, "retries", ask->retries) != ask->retries)
        replay_fail(l, "doubts=%u retries=%u", (unsigned)ask->doubts, (unsigned)ask->retries);
}

/* EXPECT_NO_PARKED_ASK */
static void expect_no_parked_ask(struct replay *r, const struct line *l)
{
    if (r->fakes.parked_takes > 0)
        replay_fail(l, "parked jobs were asked for");
}

bool acts_parked_run(struct replay *r, const struct line *l)
{
    static const struct {
        const char *name;
        void (*run)(struct replay *r, const struct line *l);
    } acts[] = {
        {"PARKED_REPLY",         act_parked_reply    },
        {"RECORDS_REPLY",        act_records_reply   },
        {"SETTLE_REPLY",         act_settle_reply    },
        {"SENDER",               act_sender          },
        {"EXPECT_PARKED_ASK",    expect_parked_ask   },
        {"EXPECT_NO_PARKED_ASK", expect_no_parked_ask},
    };
    for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
        if (strcmp(acts[i].name, l->words[0]) == 0) {
            acts[i].run(r, l);
            fake_loop_turn(r->loop);
            return true;
        }
    }
    return false;
}

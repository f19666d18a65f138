/* What happens around the jobs in a scenario: time, chores, outages, crashes, endings. */
#include <stdlib.h>
#include <string.h>

#include "common/loop.h"
#include "common/settings/settings.h"
#include "tests/replay/fake_loop.h"
#include "tests/replay/replay.h"
#include "worker/receipts.h"

static void act_time_passes(struct replay *r, const struct line *l)
{
    fake_loop_pass(r->loop, line_duration_us(l, line_word(l, 1)));
}

/* PAUSE DURATION: the process stands still; what became due meanwhile is late. */
static void act_pause(struct replay *r, const struct line *l)
{
    fake_loop_pause(r->loop, line_duration_us(l, line_word(l, 1)));
}

/* CLOCK DURATION: the wall clock is set forth by that, or back. */
static void act_clock(struct replay *r, const struct line *l)
{
    fake_loop_step_wall(r->loop, line_duration_us(l, line_word(l, 1)));
}

static void act_crash(struct replay *r, const struct line *l)
{
    (void)l;
    replay_stop(r);
    replay_start(r);
}

/* POSTGRES away [outcomes] | back: both connections, or that for outcomes alone. */
static void act_postgres(struct replay *r, const struct line *l)
{
    bool away = strcmp(line_word(l, 1), "away") == 0;
    struct claims_handlers c = pipeline_claims_handlers(r->fakes.pipeline);
    r->fakes.outcomes_away = away;
    r->fakes.claims_away = away && !line_has(l, "outcomes");
    c.health(c.arg, away ? "connection refused" : NULL);
    if (!away)
        c.idle(c.arg);
}

static void act_sweep_reply(struct replay *r, const struct line *l)
{
    struct fakes *f = &r->fakes;
    struct outcomes_handlers h = pipeline_outcomes_handlers(f->pipeline);
    if (f->sweeps == 0)
        replay_fail(l, "no sweep was asked for");
    f->sweeps--;
    f->outcomes_busy = false;
    h.in_doubt(h.arg, line_number(l, "in_doubt", 0));
    h.swept(h.arg);
    h.idle(h.arg);
}

static void act_chores(struct replay *r, const struct line *l)
{
    r->fakes.chores_wait = strcmp(line_word(l, 1), "wait") == 0;
}

static void act_probe_reply(struct replay *r, const struct line *l)
{
    struct sender_handlers h = pipeline_sender_handlers(r->fakes.pipeline);
    if (r->fakes.probes == 0)
        replay_fail(l, "no probe was asked for");
    r->fakes.probes--;
    h.probed(h.arg, line_has(l, "ok") ? NULL : line_word(l, 1));
}

static void on_drained(void *arg)
{
    struct replay *r = arg;
    r->drained = true;
}

static void on_receipts_drained(void *arg)
{
    struct replay *r = arg;
    r->receipts_drained = true;
}

static void act_drain(struct replay *r, const struct line *l)
{
    (void)l;
    pipeline_drain(r->fakes.pipeline, on_drained, r);
    receipts_drain(r->receipts, on_receipts_drained, r);
}

static void act_leave(struct replay *r, const struct line *l)
{
    (void)l;
    pipeline_leave(r->fakes.pipeline);
}

static void act_commits(struct replay *r, const struct line *l)
{
    r->fakes.commits_wait = strcmp(line_word(l, 1), "wait") == 0;
    if (!r->fakes.commits_wait)
        fakes_answer_commit(&r->fakes);
}

static void act_reload(struct replay *r, const struct line *l)
{
    struct settings *s = replay_load(r);
    s->tencent.rate = line_number(l, "rate", s->tencent.rate);
    s->tencent.pull_receipts = line_number(l, "pull", s->tencent.pull_receipts);
    s->tencent.report_conversions = line_number(l, "conversions", s->tencent.report_conversions);
    s->tencent.receipt_overdue = line_number(l, "overdue", s->tencent.receipt_overdue);
    receipts_set_settings(r->receipts, s);
    pipeline_set_settings(r->fakes.pipeline, s);
}

/* RATE_SHARE PER_S DURATION: the answer to a beat; the share holds so long. */
static void act_rate_share(struct replay *r, const struct line *l)
{
    struct fakes *f = &r->fakes;
    struct outcomes_handlers h = pipeline_outcomes_handlers(f->pipeline);
    int64_t per_s = strtol(line_word(l, 1), NULL, 10);
    if (f->shares == 0)
        replay_fail(l, "no share was asked for");
    f->shares = 0;
    f->outcomes_busy = false;
    h.rate_share(h.arg, per_s, loop_now_us(r->loop) + line_duration_us(l, line_word(l, 2)));
    h.idle(h.arg);
}

/* UNACKED N: so many events besides the scenario's own are not acknowledged. */
static void act_unacked(struct replay *r, const struct line *l)
{
    struct events_handlers h = pipeline_events_handlers(r->fakes.pipeline);
    r->fakes.unacked = strtoul(line_word(l, 1), NULL, 10);
    h.health(h.arg, r->fakes.unacked > 0 ? "the broker is gone" : NULL);
}

static const struct act acts[] = {
    {"TIME_PASSES", act_time_passes},
    {"PAUSE",       act_pause      },
    {"CLOCK",       act_clock      },
    {"CRASH",       act_crash      },
    {"POSTGRES",    act_postgres   },
    {"SWEEP_REPLY", act_sweep_reply},
    {"CHORES",      act_chores     },
    {"PROBE_REPLY", act_probe_reply},
    {"DRAIN",       act_drain      },
    {"LEAVE",       act_leave      },
    {"COMMITS",     act_commits    },
    {"RELOAD",      act_reload     },
    {"RATE_SHARE",  act_rate_share },
    {"UNACKED",     act_unacked    },
};

bool acts_around_run(struct replay *r, const struct line *l)
{
    return replay_run(r, l, acts, ARRAY_LEN(acts));
}

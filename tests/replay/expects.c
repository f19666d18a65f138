/* What must have happened in a scenario. Each EXPECT takes one thing asked for, in order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/metrics.h"
#include "tests/replay/replay.h"

/* The rest of the line, from word i, joined by single spaces. */
static void rest(const struct line *l, size_t i, char out[160])
{
    out[0] = '\0';
    for (; i < l->n; i++)
        snprintf(out + strlen(out), 160 - strlen(out), "%s%s", out[0] ? " " : "", l->words[i]);
}

static struct asked_for *unexpected(struct replay *r, enum asked what, const char *job)
{
    for (size_t i = 0; i < r->fakes.n_log; i++) {
        struct asked_for *a = &r->fakes.log[i];
        if (a->what == what && !a->expected && strcmp(a->job, job) == 0)
            return a;
    }
    return NULL;
}

struct asking {
    const char *name;
    enum asked what;
};

static const struct asking askings[] = {
    {"CLAIM",   ASKED_CLAIM  },
    {"SEND",    ASKED_SEND   },
    {"STATE",   ASKED_RECORD },
    {"EVENT",   ASKED_EVENT  },
    {"DEAD",    ASKED_DEAD   },
    {"NOTE",    ASKED_NOTE   },
    {"OUTBOX",  ASKED_OUTBOX },
    {"QUERY",   ASKED_QUERY  },
    {"SETTLE",  ASKED_SETTLE },
    {"RELEASE", ASKED_RELEASE},
};

/* "*END" fits what ends so. */
static bool fits(const char *detail, const char *pattern)
{
    size_t len = strlen(detail), end = strlen(pattern) - 1;
    if (pattern[0] != '*')
        return strcmp(detail, pattern) == 0;
    return len >= end && strcmp(detail + len - end, pattern + 1) == 0;
}

/* EXPECT_x JOB [DETAIL…]: asked for, with that detail if one is given. */
static void expect_asked(struct replay *r, const struct line *l, enum asked what)
{
    char detail[160];
    struct asked_for *a = unexpected(r, what, line_word(l, 1));
    if (!a)
        replay_fail(l, "%s: was not asked for", l->words[1]);
    a->expected = true;
    rest(l, 2, detail);
    if (detail[0] && !fits(a->detail, detail))
        replay_fail(l, "%s: \"%s\" instead of \"%s\"", l->words[1], a->detail, detail);
}

static void expect_not_asked(struct replay *r, const struct line *l, enum asked what)
{
    struct asked_for *a = unexpected(r, what, line_word(l, 1));
    if (a)
        replay_fail(l, "%s: was asked for (%s)", l->words[1], a->detail);
}

static const struct source_offset *committed(const struct replay *r, int partition)
{
    for (size_t i = 0; i < r->fakes.n_commits; i++) {
        if (r->fakes.commits[i].partition == partition)
            return &r->fakes.commits[i];
    }
    return NULL;
}

static void expect_commit(struct replay *r, const struct line *l)
{
    int partition = 0;
    long long offset = -1;
    int n = sscanf(line_word(l, 1), "%d:%lld", &partition, &offset);
    const struct source_offset *c = committed(r, partition);
    if (n == 1 && c)
        replay_fail(l, "partition %d is committed at %lld", partition, (long long)c->offset);
    if (n == 2 && (!c || c->offset != offset))
        replay_fail(l, "committed: %lld", c ? (long long)c->offset : -1LL);
}

static void expect_credit(struct replay *r, const struct line *l)
{
    bool some = strcmp(line_word(l, 1), "some") == 0;
    char text[32];
    snprintf(text, sizeof(text), "%zu", r->fakes.credit);
    if (some ? r->fakes.credit == 0 : strcmp(l->words[1], text) != 0)
        replay_fail(l, "credit is %s", text);
}

static void expect_metric(struct replay *r, const struct line *l)
{
    struct buf all = BUF_INIT;
    char text[160], wanted[164];
    metrics_render(r->meters.registry, &all);
    rest(l, 1, text);
    snprintf(wanted, sizeof(wanted), "\n%s\n", text);
    bool found = strstr(buf_text(&all), wanted) != NULL;
    snprintf(wanted, sizeof(wanted), "\n%s", l->words[1]);
    const char *near = strstr(buf_text(&all), wanted);
    if (!found)
        replay_fail(l, "not so: %.*s", near ? (int)strcspn(near + 1, "\n") : 0,
                    near ? near + 1 : "");
    buf_free(&all);
}

static void expect_stopped(struct replay *r, const struct line *l)
{
    struct buf why = BUF_INIT;
    pipeline_say_stops(r->fakes.pipeline, &why);
    bool none = strcmp(line_word(l, 1), "nothing") == 0;
    if (none ? why.len > 0 : strstr(buf_text(&why), l->words[1]) == NULL)
        replay_fail(l, "stopped: \"%s\"", buf_text(&why));
    buf_free(&why);
}

static void expect_epoch_ask(struct replay *r, const struct line *l)
{
    if ((r->fakes.n_epoch_asks > 0) == line_has(l, "none"))
        replay_fail(l, "%zu epochs are asked for", r->fakes.n_epoch_asks);
    for (size_t i = 0; i < r->fakes.n_epoch_asks; i++) {
        if (r->fakes.epoch_asks[i].restarted != line_has(l, "restarted"))
            replay_fail(l, "restarted is %d", r->fakes.epoch_asks[i].restarted);
    }
}

static void expect_closing(struct replay *r, const struct line *l)
{
    if (r->fakes.closing != (strcmp(line_word(l, 1), "yes") == 0))
        replay_fail(l, "closing is %d", r->fakes.closing);
}

/* EXPECT_ASKED sweep|outbox|share|probe N: so many are not answered. */
static void expect_chore(struct replay *r, const struct line *l)
{
    const struct fakes *f = &r->fakes;
    const char *what = line_word(l, 1);
    unsigned n = strcmp(what, "sweep") == 0   ? f->sweeps
                 : strcmp(what, "share") == 0 ? f->shares
                 : strcmp(what, "probe") == 0 ? f->probes
                                              : f->takes;
    if (strtoul(line_word(l, 2), NULL, 10) != n)
        replay_fail(l, "%s: asked for %u times", l->words[1], n);
}

/* EXPECT_SHARE rate=N demand=N: as the last beat said. */
static void expect_share(struct replay *r, const struct line *l)
{
    const struct fakes *f = &r->fakes;
    if (f->share_rate != line_number(l, "rate", f->share_rate) ||
        f->share_demand != line_number(l, "demand", f->share_demand))
        replay_fail(l, "rate %lld, demand %lld", (long long)f->share_rate,
                    (long long)f->share_demand);
}

static bool expect_of_ports(struct replay *r, const struct line *l)
{
    const char *name = l->words[0];
    bool not_so = strncmp(name, "EXPECT_NO_", 10) == 0;
    name += not_so ? 10 : 7;
    for (size_t i = 0; i < ARRAY_LEN(askings); i++) {
        if (strcmp(name, askings[i].name) != 0)
            continue;
        if (not_so)
            expect_not_asked(r, l, askings[i].what);
        else
            expect_asked(r, l, askings[i].what);
        return true;
    }
    return false;
}

bool expects_run(struct replay *r, const struct line *l)
{
    static const struct act others[] = {
        {"EXPECT_COMMIT",    expect_commit   },
        {"EXPECT_CREDIT",    expect_credit   },
        {"EXPECT_METRIC",    expect_metric   },
        {"EXPECT_STOPPED",   expect_stopped  },
        {"EXPECT_EPOCH_ASK", expect_epoch_ask},
        {"EXPECT_CLOSING",   expect_closing  },
        {"EXPECT_ASKED",     expect_chore    },
        {"EXPECT_SHARE",     expect_share    },
    };
    if (strncmp(l->words[0], "EXPECT_", 7) != 0)
        return false;
    if (expect_of_ports(r, l))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (strcmp(others[i].name, l->words[0]) == 0) {
            others[i].run(r, l);
            return true;
        }
    }
    return false;
}

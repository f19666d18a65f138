/* Receipts in a scenario: what is asked for, and how it is answered. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "tests/replay/replay.h"
#include "worker/receipts.h"

static const char *const asks[] = {
    [ASK_NOTHING] = "nothing",
    [ASK_JOIN] = "join",
    [ASK_LEASE] = "lease",
    [ASK_STORE] = "store",
    [ASK_OVERDUE] = "overdue",
    [ASK_RETAIN] = "retain",
    [ASK_CONVERSIONS] = "conversions",
};

/* It is answered now: the database's connection is free. */
static struct receipts_db_handlers answer(struct replay *r, const struct line *l,
                                          enum receipts_ask what)
{
    struct fake_receipts *f = &r->fake_receipts;
    if (f->ask != what)
        replay_fail(l, "%s is asked for", asks[f->ask]);
    f->ask = ASK_NOTHING;
    return receipts_db_handlers(r->receipts);
}

/* JOIN_REPLY joined=N repeats=N orphans=N waiting=N | refused */
static void act_join_reply(struct replay *r, const struct line *l)
{
    struct receipts_db_handlers h = answer(r, l, ASK_JOIN);
    const struct join_counts counts = {
        .joined = line_number(l, "joined", 0),
        .repeats = line_number(l, "repeats", 0),
        .orphans = line_number(l, "orphans", 0),
        .waiting = line_number(l, "waiting", 0),
    };
    h.joined(h.arg, line_has(l, "refused") ? NULL : &counts);
    h.idle(h.arg);
}

/* LEASE_REPLY ours|others [took=DURATION] */
static void act_lease_reply(struct replay *r, const struct line *l)
{
    struct receipts_db_handlers h = answer(r, l, ASK_LEASE);
    int64_t took_us = line_duration_us(l, line_value(l, "took", "0s"));
    h.leased(h.arg, line_has(l, "ours"), clock_boot_us() - took_us);
    h.idle(h.arg);
}

/* STORE_REPLY kept|refused */
static void act_store_reply(struct replay *r, const struct line *l)
{
    struct receipts_db_handlers h = answer(r, l, ASK_STORE);
    h.stored(h.arg, line_has(l, "kept"));
    h.idle(h.arg);
}

/* OVERDUE_REPLY [PHONE:SCENE]… [n=N]: the last one so often. */
static void act_overdue_reply(struct replay *r, const struct line *l)
{
    struct receipts_db_handlers h = answer(r, l, ASK_OVERDUE);
    char phones[OVERDUE_MAX][24];
    struct overdue rows[OVERDUE_MAX];
    size_t n = 0;
    int64_t times = line_number(l, "n", 1);
    for (size_t i = 1; i < l->n; i++) {
        const char *colon = strchr(l->words[i], ':');
        for (int64_t k = 0; colon && k < times && n < OVERDUE_MAX; k++, n++) {
            snprintf(phones[n], sizeof(phones[n]), "%.*s", (int)(colon - l->words[i]), l->words[i]);
            rows[n] = (struct overdue){phones[n], colon + 1, clock_wall_us()};
        }
    }
    h.overdue(h.arg, rows, n);
    h.idle(h.arg);
}

/* RETAIN_REPLY NAME…: they were dropped. */
static void act_retain_reply(struct replay *r, const struct line *l)
{
    struct receipts_db_handlers h = answer(r, l, ASK_RETAIN);
    h.retained(h.arg, l->words + 1, l->n - 1);
    h.idle(h.arg);
}

/* PULL_REPLY N [odd] [failed]: so many receipts; odd: none can be understood. */
static void act_pull_reply(struct replay *r, const struct line *l)
{
    struct fake_receipts *f = &r->fake_receipts;
    struct receipts_provider_handlers h = receipts_provider_handlers(r->receipts);
    struct receipt receipts[RECEIPTS_PAGE_MAX];
    size_t n = strtoul(line_word(l, 1), NULL, 10);
    if (!f->asking)
        replay_fail(l, "the provider is not asked for receipts");
    f->asking = false;
    for (size_t i = 0; i < n; i++)
        receipts[i] = (struct receipt){.serial_no = "s",
                                       .phone = "+8613800138000",
                                       .status = "SUCCESS",
                                       .raw = "{}",
                                       .fault = line_has(l, "odd") ? "it is odd" : NULL};
    h.answered(h.arg, &(struct receipts_answer){
                          .receipts = receipts,
                          .n = n,
                          .full = n == RECEIPTS_PAGE_MAX,
                          .why = line_has(l, "failed") ? "the scenario says so" : NULL,
                      });
}

/* CONVERSIONS_REPLY SCENE:SERIAL_NO… */
static void act_conversions_reply(struct replay *r, const struct line *l)
{
    struct receipts_db_handlers h = answer(r, l, ASK_CONVERSIONS);
    char scenes[8][32];
    struct conversion rows[8];
    size_t n = 0;
    for (size_t i = 1; i < l->n && n < ARRAY_LEN(rows); i++, n++) {
        const char *colon = strchr(l->words[i], ':');
        if (!colon)
            replay_fail(l, "SCENE:SERIAL_NO is wanted");
        snprintf(scenes[n], sizeof(scenes[n]), "%.*s", (int)(colon - l->words[i]), l->words[i]);
        rows[n] = (struct conversion){
            .scene = scenes[n], .serial_no = colon + 1, .verified_us = clock_wall_us()};
    }
    h.conversions(h.arg, rows, n);
    h.idle(h.arg);
}

/* TOLD reported|refused|failed: of the conversion under way. */
static void act_told(struct replay *r, const struct line *l)
{
    struct conversions_provider_handlers h = receipts_conversion_handlers(r->receipts);
    enum conversion_fate fate = line_has(l, "reported")  ? CONVERSION_REPORTED
                                : line_has(l, "refused") ? CONVERSION_REFUSED
                                                         : CONVERSION_FAILED;
    if (!r->fake_receipts.telling)
        replay_fail(l, "the provider is told of no conversion");
    r->fake_receipts.telling = false;
    h.told(h.arg, fate, fate == CONVERSION_REPORTED ? NULL : "the scenario says so");
}

/* EXPECT_TOLD APP/SERIAL_NO | nothing: what the provider is told now. */
static void expect_told(struct replay *r, const struct line *l)
{
    const struct fake_receipts *f = &r->fake_receipts;
    const char *told = f->telling ? f->told : "nothing";
    if (strcmp(told, line_word(l, 1)) != 0)
        replay_fail(l, "%s is told", told);
}

/* RECEIPTS_DB away|back|wait: wait leaves joinings and retention to the scenario. */
static void act_receipts_db(struct replay *r, const struct line *l)
{
    struct fake_receipts *f = &r->fake_receipts;
    struct receipts_db_handlers h = receipts_db_handlers(r->receipts);
    const char *how = line_word(l, 1);
    f->waits = f->waits || strcmp(how, "wait") == 0;
    f->away = strcmp(how, "away") == 0;
    h.health(h.arg, f->away ? "connection refused" : NULL);
    if (!f->away)
        h.idle(h.arg);
}

/* EXPECT_RECEIPTS nothing|join|lease|store|overdue|retain|conversions [SOURCE N [odd=N]] [joins=N]
 */
static void expect_receipts(struct replay *r, const struct line *l)
{
    const struct fake_receipts *f = &r->fake_receipts;
    if (strcmp(line_word(l, 1), asks[f->ask]) != 0)
        replay_fail(l, "%s is asked for", asks[f->ask]);
    if (f->ask == ASK_STORE && (strcmp(line_word(l, 2), receipt_source_to_text(f->source)) != 0 ||
                                strtoul(line_word(l, 3), NULL, 10) != f->n_store ||
                                line_number(l, "odd", 0) != (int64_t)f->n_faults))
        replay_fail(l, "%s %zu odd=%zu", receipt_source_to_text(f->source), f->n_store,
                    f->n_faults);
    if (f->ask == ASK_RETAIN && (line_number(l, "deliveries", 0) != f->keep.deliveries ||
                                 line_number(l, "attempts", 0) != f->keep.attempts ||
                                 line_number(l, "receipts", 0) != f->keep.receipts))
        replay_fail(l, "other days are kept");
}

/* EXPECT_PULL APP [PHONE] | nothing: what the provider is asked for. */
static void expect_pull(struct replay *r, const struct line *l)
{
    const struct fake_receipts *f = &r->fake_receipts;
    bool nothing = strcmp(line_word(l, 1), "nothing") == 0;
    if (nothing ? f->asking : !f->asking)
        replay_fail(l, "the provider is %sasked for receipts", f->asking ? "" : "not ");
    if (nothing)
        return;
    if (strcmp(l->words[1], f->app) != 0 || strcmp(l->n > 2 ? l->words[2] : "", f->phone) != 0)
        replay_fail(l, "%s %s is asked for", f->app, f->phone);
}

/* EXPECT_RECEIPTS_DRAINED yes|no */
static void expect_drained(struct replay *r, const struct line *l)
{
    if (r->receipts_drained != (strcmp(line_word(l, 1), "yes") == 0))
        replay_fail(l, "receipts are %sdrained", r->receipts_drained ? "" : "not ");
}

bool acts_receipts_run(struct replay *r, const struct line *l)
{
    static const struct act acts[] = {
        {"JOIN_REPLY",              act_join_reply       },
        {"LEASE_REPLY",             act_lease_reply      },
        {"STORE_REPLY",             act_store_reply      },
        {"OVERDUE_REPLY",           act_overdue_reply    },
        {"RETAIN_REPLY",            act_retain_reply     },
        {"PULL_REPLY",              act_pull_reply       },
        {"CONVERSIONS_REPLY",       act_conversions_reply},
        {"TOLD",                    act_told             },
        {"EXPECT_TOLD",             expect_told          },
        {"RECEIPTS_DB",             act_receipts_db      },
        {"EXPECT_RECEIPTS",         expect_receipts      },
        {"EXPECT_PULL",             expect_pull          },
        {"EXPECT_RECEIPTS_DRAINED", expect_drained       },
    };
    return replay_run(r, l, acts, ARRAY_LEN(acts));
}

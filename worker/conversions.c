/*
 * One at a time, in the order of their messages. One that fails keeps its place and is tried again,
 * later and later, until it is given up.
 */
#include "worker/conversions.h"

#include <stdio.h>
#include <string.h>

#include "common/loop.h"
#include "common/metrics.h"
#include "common/settings/settings.h"
#include "worker/meters.h"
#include "worker/ports/receipts.h"

#define LOOK_EVERY_US (5 * US_PER_S)
#define PACE_US (10 * US_PER_MS) /* a tenth of the account's rate */
#define FAILED_BASE_US (4 * US_PER_S)
#define FAILED_CAP_US (300 * US_PER_S)
#define FAILURES_MAX 5
#define SAID_EVERY_US (600 * US_PER_S)
/* A code lives for its ttl from the acceptance on; then what is recorded a little late. */
#define AFTER_MARGIN_S 60

static void on_timer(void *arg)
{
    struct conversions *c = arg;
    if (c->step == CONVERSIONS_REST)
        c->step = CONVERSIONS_GO_ON;
    c->wake(c->arg);
}

void conversions_init(struct conversions *c, struct loop *l, const struct settings *s,
                      struct meters *meters, void (*wake)(void *arg), void *arg)
{
    *c = (struct conversions){
        .loop = l,
        .settings = s,
        .meters = meters,
        .wake = wake,
        .arg = arg,
        .backoff = {.base_us = FAILED_BASE_US, .cap_us = FAILED_CAP_US},
        .failed.period_us = SAID_EVERY_US,
        .untold.period_us = SAID_EVERY_US,
    };
    c->timer = loop_timer_new(l, on_timer, c);
}

void conversions_free(struct conversions *c)
{
    loop_timer_free(c->timer);
}

static void rest(struct conversions *c)
{
    c->step = CONVERSIONS_REST;
    loop_timer_start(c->timer, backoff_spread_us(LOOK_EVERY_US));
}

void conversions_start(struct conversions *c, struct receipts_db *db,
                       struct conversions_provider *provider)
{
    c->db = db;
    c->provider = provider;
    rest(c);
}

static void go_on_in(struct conversions *c, int64_t us)
{
    c->step = CONVERSIONS_GO_ON;
    c->not_before_us = loop_now_us(c->loop) + us;
    loop_timer_start(c->timer, us);
}

/* By then every code is verified or over. */
static int64_t after_s(const struct settings *s)
{
    int64_t longest = 0;
    for (size_t i = 0; i < s->n_scenes; i++)
        longest = MAX(longest, s->scenes[i].ttl);
    return longest + AFTER_MARGIN_S;
}

/* One of a scene that is not configured any more has [tencent]'s application. */
static const char *app_of(const struct settings *s, const char *name, const char *locale)
{
    const struct scene *scene = settings_scene(s, name, locale[0] ? locale : NULL);
    return scene ? scene->sdk_app_id : s->tencent.sdk_app_id;
}

static void tell_next(struct conversions *c)
{
    const char *app = app_of(c->settings, c->kept[c->next].scene, c->kept[c->next].locale);
    const struct conversion one = {
        .scene = c->kept[c->next].scene,
        .locale = c->kept[c->next].locale,
        .serial_no = c->kept[c->next].serial_no,
        .verified_us = c->kept[c->next].verified_us,
    };
    if (!app) {
        conversions_on_told(c, CONVERSION_REFUSED, "its scene has no sdk_app_id any more");
        return;
    }
    c->step = CONVERSIONS_TELL;
    c->provider->tell(c->provider->self, app, &one);
}

void conversions_pump(struct conversions *c)
{
    if (c->step != CONVERSIONS_GO_ON || loop_now_us(c->loop) < c->not_before_us)
        return;
    if (c->draining || !c->settings->tencent.report_conversions ||
        !c->provider->is_ready(c->provider->self)) {
        rest(c);
    } else if (c->next < c->n) {
        tell_next(c);
    } else if (c->db->can_ask(c->db->self)) {
        c->step = CONVERSIONS_TAKEN;
        c->db->take_conversions(c->db->self, CONVERSIONS_MAX, after_s(c->settings));
    }
}

void conversions_on_taken(struct conversions *c, const struct conversion *rows, size_t n)
{
    c->n = MIN(n, (size_t)CONVERSIONS_MAX);
    c->next = 0;
    for (size_t i = 0; i < c->n; i++) {
        snprintf(c->kept[i].scene, sizeof(c->kept[i].scene), "%s", rows[i].scene);
        snprintf(c->kept[i].locale, sizeof(c->kept[i].locale), "%s",
                 rows[i].locale ? rows[i].locale : "");
        snprintf(c->kept[i].serial_no, sizeof(c->kept[i].serial_no), "%s", rows[i].serial_no);
        c->kept[i].verified_us = rows[i].verified_us;
    }
    if (c->n == 0)
        rest(c);
    else
        go_on_in(c, 0);
}

static void say_failed(struct conversions *c, const char *why)
{
    int64_t dropped = 0;
    if (log_gate_open(&c->failed, &dropped))
        log_warn("the provider takes no conversions; SMS do not depend on it", LS("why", why),
                 LS("remedy", "if the account may not report them: report_conversions = off"),
                 LI("dropped", dropped));
}

static void say_untold(struct conversions *c, const char *why)
{
    int64_t dropped = 0;
    if (log_gate_open(&c->untold, &dropped))
        log_warn("a conversion is given up; it is not told again",
                 LS("serial_no", c->kept[c->next].serial_no), LS("why", why),
                 LI("dropped", dropped));
}

void conversions_on_told(struct conversions *c, enum conversion_fate fate, const char *why)
{
    metric_add(c->meters->conversions[fate], 1);
    int64_t pause_us = PACE_US;
    if (fate == CONVERSION_FAILED) {
        say_failed(c, why);
        pause_us = backoff_next_us(&c->backoff);
        if (++c->failures < FAILURES_MAX) {
            go_on_in(c, pause_us);
            return;
        }
    } else {
        backoff_reset(&c->backoff);
        if (log_gate_reset(&c->failed))
            log_info("the provider takes conversions again");
    }
    if (fate != CONVERSION_REPORTED)
        say_untold(c, why);
    c->failures = 0;
    c->next++;
    go_on_in(c, pause_us);
}

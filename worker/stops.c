/* Stopped scenes and the stopped account. */
#include "worker/stops.h"

#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/metrics.h"
#include "worker/meters.h"

void stops_init(struct stops *s, struct meters *meters, int64_t probe_interval_us)
{
    *s = (struct stops){.meters = meters, .probe_interval_us = probe_interval_us};
}

void stops_free(struct stops *s)
{
    struct stop *stop, *next;
    HASH_ITER(hh, s->by_name, stop, next)
    {
        HASH_DEL(s->by_name, stop);
        mem_free(stop);
    }
}

static struct stop *find(const struct stops *s, const char *scene)
{
    struct stop *stop = NULL;
    HASH_FIND_STR(s->by_name, scene, stop);
    return stop;
}

static struct stop *must_get(struct stops *s, const char *scene)
{
    struct stop *stop = find(s, scene);
    if (stop)
        return stop;
    stop = mem_must_alloc(sizeof(*stop));
    snprintf(stop->name, sizeof(stop->name), "%s", scene);
    HASH_ADD_STR(s->by_name, name, stop);
    return stop;
}

static bool is_stopped(const struct stop *stop)
{
    return stop && stop->reason[0] != '\0';
}

static const char *subject(const struct stop *stop)
{
    return stop->name[0] ? stop->name : "account";
}

static void metric_name(const struct stop *stop, char out[192])
{
    snprintf(out, 192, "%s: %s", subject(stop), stop->reason);
}

static enum stop_answer ask_one(struct stop *stop, int64_t now_us)
{
    if (!is_stopped(stop))
        return STOP_GO;
    return stop->trial || now_us < stop->trial_at_us ? STOP_HOLD : STOP_TRIAL;
}

enum stop_answer stops_ask(struct stops *s, const char *scene, int64_t now_us)
{
    struct stop *stop = find(s, scene);
    enum stop_answer account = ask_one(&s->account, now_us);
    enum stop_answer own = ask_one(stop, now_us);
    if (account == STOP_HOLD || own == STOP_HOLD)
        return STOP_HOLD;
    if (account == STOP_GO && own == STOP_GO)
        return STOP_GO;
    if (account == STOP_TRIAL)
        s->account.trial = true;
    if (own == STOP_TRIAL)
        stop->trial = true;
    return STOP_TRIAL;
}

/* The account's next trial waits for a probe that is answered well. */
static int64_t next_trial_us(const struct stops *s, const struct stop *stop, int64_t now_us)
{
    return stop == &s->account ? INT64_MAX : now_us + s->probe_interval_us;
}

bool stops_hold(const struct stops *s, const char *scene)
{
    return is_stopped(&s->account) || is_stopped(find(s, scene));
}

static void end_trial(struct stops *s, struct stop *stop, int64_t now_us)
{
    if (!stop || !stop->trial)
        return;
    stop->trial = false;
    stop->trial_at_us = next_trial_us(s, stop, now_us);
}

void stops_on_trial_over(struct stops *s, const char *scene, int64_t now_us)
{
    end_trial(s, &s->account, now_us);
    end_trial(s, find(s, scene), now_us);
}

static void stop_one(struct stops *s, struct stop *stop, const struct stop_cause *cause,
                     int64_t now_us)
{
    char label[192];
    if (cause->began_us < stop->good_us)
        return;
    bool again = is_stopped(stop);
    bool other_reason = again && strcmp(stop->reason, cause->reason) != 0;
    if (other_reason) {
        metric_name(stop, label);
        metrics_drop(s->meters->stopped, label);
    }
    snprintf(stop->reason, sizeof(stop->reason), "%s", cause->reason);
    stop->remedy = cause->remedy ? cause->remedy : "see docs/OPERATIONS.md";
    stop->trial = false;
    stop->trial_at_us = next_trial_us(s, stop, now_us);
    if (!again)
        stop->since_us = now_us;
    if (again && !other_reason)
        return;
    metric_name(stop, label);
    metric_set(metrics_cell(s->meters->stopped, label), 1);
    log_error("something must be mended; until then intake is stopped and probes",
              LS("stopped", subject(stop)), LS("reason", cause->reason),
              LS("remedy", stop->remedy));
}

void stops_on_refused(struct stops *s, const char *scene, const struct stop_cause *cause,
                      int64_t now_us)
{
    end_trial(s, &s->account, now_us);
    end_trial(s, find(s, scene), now_us);
    stop_one(s, cause->account ? &s->account : must_get(s, scene), cause, now_us);
}

static const char takes_again[] = "the provider takes requests again; intake goes on";

static bool resume(struct stops *s, struct stop *stop, const char *why)
{
    if (!is_stopped(stop))
        return false;
    char label[192];
    metric_name(stop, label);
    metrics_drop(s->meters->stopped, label);
    log_info(why, LS("stopped", subject(stop)), LS("reason", stop->reason));
    stop->reason[0] = '\0';
    stop->trial = false;
    return true;
}

void stops_on_reload(struct stops *s, bool (*is_there)(void *arg, const char *scene), void *arg,
                     int64_t now_us)
{
    struct stop *stop, *next;
    HASH_ITER(hh, s->by_name, stop, next)
    {
        if (is_there(arg, stop->name)) {
            stop->trial_at_us = MIN(stop->trial_at_us, now_us);
            continue;
        }
        (void)resume(s, stop, "its scene is not configured any more");
        HASH_DEL(s->by_name, stop);
        mem_free(stop);
    }
}

static bool on_good(struct stops *s, struct stop *stop, int64_t began_us)
{
    stop->good_us = MAX(stop->good_us, began_us);
    return began_us >= stop->since_us && resume(s, stop, takes_again);
}

bool stops_on_answer(struct stops *s, const char *scene, bool accepted, int64_t began_us)
{
    struct stop *stop = must_get(s, scene);
    if (accepted)
        stop->streak = 0;
    bool account = on_good(s, &s->account, began_us);
    return on_good(s, stop, began_us) || account;
}

bool stops_on_number_refused(struct stops *s, const char *scene, const char *phone,
                             const char *code)
{
    struct stop *stop = must_get(s, scene);
    if (strcmp(stop->streak_code, code) != 0) {
        snprintf(stop->streak_code, sizeof(stop->streak_code), "%s", code);
        stop->streak = 0;
    }
    for (unsigned i = 0; i < stop->streak; i++) {
        if (strcmp(stop->streak_phones[i], phone) == 0)
            return stop->streak == STOP_STREAK;
    }
    if (stop->streak < STOP_STREAK)
        snprintf(stop->streak_phones[stop->streak++], sizeof(stop->streak_phones[0]), "%s", phone);
    return stop->streak == STOP_STREAK;
}

void stops_on_probed(struct stops *s, const char *why, int64_t now_us)
{
    if (!is_stopped(&s->account) || s->account.trial)
        return;
    if (!why)
        s->account.trial_at_us = now_us;
    else
        log_warn("the provider still refuses; intake stays stopped",
                 LS("reason", s->account.reason), LS("probe", why));
}

bool stops_account_is_stopped(const struct stops *s)
{
    return is_stopped(&s->account);
}

static void say_one(const struct stop *stop, struct buf *out)
{
    if (!is_stopped(stop))
        return;
    buf_add_fmt(out, "%sintake is stopped for %s%s: %s; %s", out->len ? "; " : "",
                stop->name[0] ? "scene " : "the ", subject(stop), stop->reason, stop->remedy);
}

void stops_say(const struct stops *s, struct buf *out)
{
    say_one(&s->account, out);
    for (const struct stop *stop = s->by_name; stop; stop = stop->hh.next)
        say_one(stop, out);
}

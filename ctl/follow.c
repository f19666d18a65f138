/* Keeps the highest seq of each job: events may come again and in any order. */
#include "ctl/follow.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <uthash.h>

#include "common/clock.h"
#include "common/domain/job_state.h"
#include "common/json.h"
#include "common/mem.h"
#include "ctl/ctl.h"
#include "ctl/draft.h"
#include "ctl/kafka_events.h"

#define AFTER_DEADLINE_US (60 * US_PER_S)
#define POLL_MS 500

struct followed {
    const char *job_id;
    int64_t seq;
    enum job_state state;
    UT_hash_handle hh;
};

struct following {
    struct followed *by_id;
    struct followed *all;
    size_t left; /* without an end */
    int64_t until_us;
};

static void begin(struct following *f, const struct draft_list *jobs)
{
    *f = (struct following){.all = mem_must_alloc(jobs->n * sizeof *f->all)};
    for (size_t i = 0; i < jobs->n; i++) {
        struct followed *job = NULL;
        const char *id = jobs->items[i].job_id;

        f->until_us = MAX(f->until_us, jobs->items[i].deadline_us + AFTER_DEADLINE_US);
        HASH_FIND_STR(f->by_id, id, job);
        if (job)
            continue; /* twice in the file: one job */
        job = &f->all[f->left++];
        job->job_id = id;
        HASH_ADD_KEYPTR(hh, f->by_id, id, strlen(id), job);
    }
}

static void print_event(const struct json *event)
{
    static const char *const texts[] = {"reason", "provider_code", "serial_no"};
    int64_t n = 0;

    printf("%s %s %s", json_get_text(event, "at"), json_get_text(event, "job_id"),
           json_get_text(event, "state"));
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (json_get_text(event, texts[i]))
            printf(" %s=%s", texts[i], json_get_text(event, texts[i]));
    if (json_int(json_get(event, "retry_after"), &n))
        printf(" retry_after=%" PRId64, n);
    putchar('\n');
    fflush(stdout);
}

static void on_event(struct following *f, const struct json *event)
{
    const char *id = json_get_text(event, "job_id");
    const char *name = json_get_text(event, "state");
    struct followed *job = NULL;
    enum job_state state;
    int64_t seq;

    if (!id || !name || !json_get_text(event, "at") || !job_state_from_text(name, &state) ||
        !json_int(json_get(event, "seq"), &seq))
        return;
    HASH_FIND_STR(f->by_id, id, job);
    if (!job || seq <= job->seq)
        return;
    if (job_state_is_final(state) && !job_state_is_final(job->state))
        f->left--;
    job->seq = seq;
    job->state = state;
    print_event(event);
}

static int judge(const struct ctl *c, const struct following *f)
{
    int code = EXIT_DONE;

    for (const struct followed *job = f->by_id; job; job = job->hh.next) {
        if (!job_state_is_final(job->state))
            ctl_say(
                c,
                "%s: no end was announced until a minute after its deadline; is a worker running?",
                job->job_id);
        if (job->state != JOB_SENT && job->state != JOB_DELIVERED)
            code = EXIT_NO;
    }
    return code;
}

int follow_jobs(const struct ctl *c, struct kafka_events *ev, const struct draft_list *jobs)
{
    struct following f;
    int code;

    begin(&f, jobs);
    while (f.left > 0 && clock_wall_us() < f.until_us) {
        struct json *event = kafka_events_next(ev, POLL_MS);
        if (event)
            on_event(&f, event);
        json_free(event);
    }
    code = judge(c, &f);
    HASH_CLEAR(hh, f.by_id);
    mem_free(f.all);
    return code;
}

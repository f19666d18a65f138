/* The batch: marked in PostgreSQL, then produced, then awaited. */
#include "ctl/replay_batch.h"

#include <string.h>

#include "common/clock.h"
#include "common/domain/job.h"
#include "common/err.h"
#include "common/mem.h"
#include "common/settings/settings.h"
#include "ctl/ctl.h"
#include "ctl/fresh.h"
#include "ctl/kafka_letters.h"
#include "ctl/letter.h"

#define AGE_MAX_US (INT64_C(86400) * US_PER_S)

/* What a worker with these settings would say to the value: "ok", "late", or the rule broken. */
static const char *judge_value(const struct settings *s, const struct letter *l)
{
    struct arena *a = arena_new(4096);
    struct job job = {0};
    bool no_memory = !a;
    enum job_fault fault = JOB_OK;
    int64_t now_us = clock_wall_us();
    const char *label;

    if (a)
        fault = job_parse(a, s, l->value, l->value_len, &job, &no_memory);
    if (no_memory)
        panic("no memory");
    label = job_fault_to_label(fault);
    if (fault == JOB_OK &&
        (job.deadline_us <= now_us || job.requested_at_us <= now_us - AGE_MAX_US))
        label = "late";
    arena_free(a);
    return label;
}

void replay_batch_drop(struct replay_batch *b)
{
    for (size_t i = 0; i < b->n; i++) {
        kafka_letter_free(b->letters[i]);
        buf_free(&b->items[i].value);
    }
    b->n = 0;
}

void replay_batch_take(struct replay_batch *b, struct letter *l)
{
    struct replay_item *item = &b->items[b->n];
    bool dead = letter_read(l);

    *item = (struct replay_item){0};
    if (!dead)
        b->report.foreign++;
    if (!dead || !letter_matches(l, &b->wish->filter)) {
        kafka_letter_free(l);
        return;
    }
    if (strcmp(l->from_topic, b->settings->topics.jobs) != 0) {
        replay_report_add_left(&b->report, LEFT_ELSEWHERE);
    } else if (l->omitted) {
        replay_report_add_left(&b->report, LEFT_OMITTED);
    } else if (b->wish->fresh &&
               fresh_value(l->value, l->value_len, clock_wall_us(), &item->value) != 0) {
        replay_report_add_left(&b->report, LEFT_UNREADABLE);
    } else {
        if (b->wish->fresh) {
            l->value = item->value.data;
            l->value_len = item->value.len;
        }
        item->now = judge_value(b->settings, l);
        b->letters[b->n++] = l;
        return;
    }
    buf_free(&item->value);
    kafka_letter_free(l);
}

/* Keeps the letters that are chosen, and counts the others as put back before. */
static void keep_chosen(struct replay_batch *b, const bool *chosen)
{
    size_t kept = 0;

    for (size_t i = 0; i < b->n; i++) {
        if (chosen[i]) {
            b->letters[kept] = b->letters[i];
            b->items[kept++] = b->items[i];
            continue;
        }
        replay_report_add_left(&b->report, LEFT_REPLAYED);
        kafka_letter_free(b->letters[i]);
        buf_free(&b->items[i].value);
    }
    b->n = kept;
}

/* Counts what became of the batch, and takes marks back from what was not put back. */
static int settle_batch(struct replay_batch *b, const enum put *puts)
{
    struct letter *unmarked[REPLAY_BATCH];
    size_t n_unmarked = 0, failed = 0;
    struct err e = {0};

    for (size_t i = 0; i < b->n; i++) {
        if (puts[i] == PUT_DONE)
            replay_report_add_put(&b->report, b->letters[i], b->items[i].now);
        else if (puts[i] == PUT_TOO_LARGE)
            replay_report_add_left(&b->report, LEFT_TOO_LARGE);
        else
            failed++;
        if (puts[i] == PUT_TOO_LARGE || puts[i] == PUT_NOT)
            unmarked[n_unmarked++] = b->letters[i];
        else if (puts[i] == PUT_UNSURE)
            b->report.lost++;
    }
    if (n_unmarked > 0 && replay_marks_clear(&b->marks, unmarked, n_unmarked, &e) != 0) {
        b->report.lost += n_unmarked;
        return ctl_statement_failed(b->ctl, b->marks.db, &e);
    }
    if (failed == 0)
        return EXIT_DONE;
    ctl_say(b->ctl, "Kafka failed: %s", kafka_replay_why(b->to));
    return EXIT_UNREACHABLE;
}

static int put(struct replay_batch *b)
{
    struct err e = {0};
    bool marked[REPLAY_BATCH];
    enum put puts[REPLAY_BATCH];
    int code;

    if (replay_marks_set(&b->marks, b->letters, b->n, b->wish->force, marked, &e) != 0) {
        code = ctl_statement_failed(b->ctl, b->marks.db, &e);
        b->report.lost += e.class == ERR_TEMP ? b->n : 0; /* the answer may be what was lost */
        return code;
    }
    keep_chosen(b, marked);
    kafka_replay_put(b->to, b->letters, b->n, puts);
    code = settle_batch(b, puts);
    replay_batch_drop(b);
    return code;
}

static int show(struct replay_batch *b)
{
    struct err e = {0};
    bool chosen[REPLAY_BATCH];

    if (replay_marks_find(&b->marks, b->letters, b->n, chosen, &e) != 0)
        return ctl_statement_failed(b->ctl, b->marks.db, &e);
    for (size_t i = 0; i < b->n; i++)
        chosen[i] = b->wish->force || !chosen[i];
    keep_chosen(b, chosen);
    for (size_t i = 0; i < b->n; i++)
        replay_report_add_put(&b->report, b->letters[i], b->items[i].now);
    replay_batch_drop(b);
    return EXIT_DONE;
}

int replay_batch_settle(struct replay_batch *b)
{
    if (b->n == 0)
        return EXIT_DONE;
    return b->to ? put(b) : show(b);
}

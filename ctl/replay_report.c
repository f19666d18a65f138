/* The tables and sentences of replay. */
#include "ctl/replay_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "ctl/ctl.h"
#include "ctl/letter.h"
#include "ctl/table.h"

static struct replay_group *group_of(struct replay_report *r, const char *reason, const char *now)
{
    for (size_t i = 0; i < r->n_groups; i++)
        if (strcmp(r->groups[i].reason, reason) == 0 && strcmp(r->groups[i].now, now) == 0)
            return &r->groups[i];
    r->groups = mem_resize(r->groups, (r->n_groups + 1) * sizeof *r->groups);
    if (!r->groups)
        panic("no memory for %zu reasons", r->n_groups + 1);
    r->groups[r->n_groups] = (struct replay_group){.reason = reason, .now = now};
    return &r->groups[r->n_groups++];
}

void replay_report_add_put(struct replay_report *r, const struct letter *l, const char *now)
{
    struct replay_line *line;

    group_of(r, l->reason, now)->put++;
    r->put++;
    if (r->n_lines == REPLAY_SHOWN)
        return;
    line = &r->lines[r->n_lines++];
    *line = (struct replay_line){.reason = l->reason, .now = now};
    snprintf(line->letter, sizeof line->letter, "%" PRId32 "/%" PRId64, l->partition, l->offset);
    snprintf(line->from, sizeof line->from, "%" PRId64 "/%" PRId64, l->from_partition,
             l->from_offset);
    snprintf(line->replays, sizeof line->replays, "%" PRId64, l->replays);
    text_from_time_us(l->at_us, line->at);
}

void replay_report_add_left(struct replay_report *r, enum left_out why)
{
    r->left[why]++;
}

void replay_report_free(struct replay_report *r)
{
    mem_free(r->groups);
    *r = (struct replay_report){0};
}

static const char *group_cell(const void *arg, int row, int col)
{
    static const char *const head[] = {"reason", "now", "letters"};
    static char number[24];
    const struct replay_group *g = arg;

    if (row == TABLE_HEAD)
        return head[col];
    if (col < 2)
        return col == 0 ? g[row].reason : g[row].now;
    snprintf(number, sizeof number, "%zu", g[row].put);
    return number;
}

static const char *line_cell(const void *arg, int row, int col)
{
    static const char *const head[] = {"letter", "at", "record", "replays", "reason", "now"};
    const struct replay_line *line = arg;

    if (row == TABLE_HEAD)
        return head[col];
    line += row;
    const char *const cells[] = {line->letter,  line->at,     line->from,
                                 line->replays, line->reason, line->now};
    return cells[col];
}

static void say_left_out(const struct replay_report *r, const struct ctl *c, const char *jobs)
{
    if (r->left[LEFT_REPLAYED])
        ctl_say(c, "left out, as they were put back before (--force does it again): %zu",
                r->left[LEFT_REPLAYED]);
    if (r->left[LEFT_OMITTED])
        ctl_say(c, "left out, as their value was not kept (sendcode-omitted): %zu",
                r->left[LEFT_OMITTED]);
    if (r->left[LEFT_ELSEWHERE])
        ctl_say(c, "left out, as they come from another topic than %s: %zu", jobs,
                r->left[LEFT_ELSEWHERE]);
    if (r->left[LEFT_UNREADABLE])
        ctl_say(c, "left out, as --fresh cannot change what is no JSON object: %zu",
                r->left[LEFT_UNREADABLE]);
    if (r->left[LEFT_TOO_LARGE])
        ctl_say(c, "left out, as Kafka takes no record of their size: %zu",
                r->left[LEFT_TOO_LARGE]);
    if (r->foreign)
        ctl_say(c, "passed over, as they lack the sendcode- headers of a dead letter: %zu",
                r->foreign);
}

void replay_report_print(const struct replay_report *r, const struct ctl *c, const char *jobs,
                         bool dry)
{
    if (r->put > 0) {
        table_print_cells((int)r->n_groups, 3, group_cell, r->groups);
        putchar('\n');
    }
    if (r->put > 0 && dry) {
        table_print_cells(r->n_lines, 6, line_cell, r->lines);
        if (r->put > (size_t)r->n_lines)
            printf("… and %zu more\n", r->put - (size_t)r->n_lines);
        putchar('\n');
    }
    printf("%s: %zu\n", dry ? "would be put back" : "put back", r->put);
    fflush(stdout);
    say_left_out(r, c, jobs);
    if (r->lost)
        ctl_say(c, "marked as put back, but perhaps they are not: %zu", r->lost);
}

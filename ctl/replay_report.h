/* What replay found and did: counts by reason, and the first letters. Quotes nothing of a value. */
#ifndef SENDCODE_CTL_REPLAY_REPORT_H
#define SENDCODE_CTL_REPLAY_REPORT_H

#include "common/base.h"

struct ctl;
struct letter;

#define REPLAY_SHOWN 10

/* Why a letter that the filter picks is not put back. */
enum left_out {
    LEFT_REPLAYED,   /* put back already */
    LEFT_OMITTED,    /* it has no value any more */
    LEFT_ELSEWHERE,  /* its record was of another topic than ours */
    LEFT_UNREADABLE, /* --fresh cannot change its value */
    LEFT_TOO_LARGE,
    LEFT_KINDS,
};

struct replay_group {
    const char *reason; /* labels: static texts */
    const char *now;    /* what a worker with this configuration would say to it now */
    size_t put;
};

struct replay_line {
    char letter[32], at[32], from[32], replays[24];
    const char *reason, *now;
};

struct replay_report {
    struct replay_group *groups;
    size_t n_groups;
    struct replay_line lines[REPLAY_SHOWN];
    int n_lines;
    size_t put; /* back; of a dry run: that would be */
    size_t left[LEFT_KINDS];
    size_t foreign; /* records without a dead letter's headers */
    size_t lost;    /* marked, and perhaps not put back */
};

void replay_report_add_put(struct replay_report *r, const struct letter *l, const char *now);
void replay_report_add_left(struct replay_report *r, enum left_out why);
void replay_report_free(struct replay_report *r);

/* Tables to stdout, sentences about what was left out to stderr. jobs: the topic. */
void replay_report_print(const struct replay_report *r, const struct ctl *c, const char *jobs,
                         bool dry);

#endif

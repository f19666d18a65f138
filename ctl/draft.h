/*
 * Jobs to be published: made from flags or from lines of JSON, completed (v, job_id, requested_at)
 * and held against the job contract before anything is sent.
 */
#ifndef SENDCODE_CTL_DRAFT_H
#define SENDCODE_CTL_DRAFT_H

#include <stdio.h>

#include "common/base.h"

struct arena;
struct buf;
struct settings;

struct draft {
    const char *value; /* the record's value */
    size_t len;
    const char *job_id;
    const char *phone; /* the record's key */
    int64_t deadline_us;
};

struct draft_list {
    struct arena *arena; /* holds all texts */
    struct draft *items;
    size_t n, room;
};

/* NULL: left out. */
struct draft_flags {
    const char *phone, *scene, *job_id, *locale, *client_ip, *requested_at, *deadline;
};

void draft_list_init(struct draft_list *list);
void draft_list_free(struct draft_list *list);

/* Adds one job; what is wrong with it becomes a line in faults, and -1 is returned. */
NODISCARD int draft_add_flags(struct draft_list *list, const struct settings *s,
                              const struct draft_flags *flags, struct buf *faults);

/* Adds a job for each line that is not blank; a line in faults ("NAME:LINE: rule") for each bad
 * one. */
void draft_add_lines(struct draft_list *list, const struct settings *s, FILE *in, const char *name,
                     struct buf *faults);

#endif

/* Makes the topics that are missing. */
#ifndef SENDCODE_CTL_TOPICS_H
#define SENDCODE_CTL_TOPICS_H

struct ctl;
struct settings;

/* Prints what it did; returns an exit code. */
int topics_create_missing(const struct ctl *c, const struct settings *s, int partitions);

#endif

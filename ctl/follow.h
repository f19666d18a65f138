/* Follows the jobs that were published, by their events, until each has its end. */
#ifndef SENDCODE_CTL_FOLLOW_H
#define SENDCODE_CTL_FOLLOW_H

struct ctl;
struct draft_list;
struct kafka_events;

/*
 * Prints each change of state. 0 when all ended sent or delivered, else 1; gives up, naming them,
 * on jobs that show no end a minute after the last deadline.
 */
int follow_jobs(const struct ctl *c, struct kafka_events *ev, const struct draft_list *jobs);

#endif

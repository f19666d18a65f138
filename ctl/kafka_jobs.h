/* Publishes jobs to the jobs topic and waits until the brokers have them. */
#ifndef SENDCODE_CTL_KAFKA_JOBS_H
#define SENDCODE_CTL_KAFKA_JOBS_H

struct ctl;
struct draft_list;
struct settings;

/* Says what failed; returns an exit code. */
int kafka_jobs_publish(const struct ctl *c, const struct settings *s,
                       const struct draft_list *jobs);

#endif

/* How many answers each action had, by their code (GET /stats of the control port). */
#ifndef SENDCODE_SANDBOX_STATS_H
#define SENDCODE_SANDBOX_STATS_H

#include "common/base.h"

struct buf;
struct stat_count;

struct stats {
    struct stat_count *counts;
};

/*
 * A number's code in SendSms, "Ok" for another action's answer, or the error of a whole answer;
 * also when a fault then keeps the answer from arriving.
 */
void stats_count(struct stats *s, const char *action, const char *code);
/* {"SendSms":{"Ok":3,…},…} */
void stats_add_json(struct stats *s, struct buf *out);
void stats_clear(struct stats *s);

#endif

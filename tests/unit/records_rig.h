/*
 * Queries for send records in front of a server that plays Tencent. The clocks run ten times slower
 * than the machine's, so that its own pauses count for nothing; what has to take long moves them
 * on.
 */
#ifndef SENDCODE_TESTS_UNIT_RECORDS_RIG_H
#define SENDCODE_TESTS_UNIT_RECORDS_RIG_H

#include "common/base.h"
#include "tests/unit/client_rig.h"
#include "worker/ports/sender.h"

#define HOUR_US (3600 * US_PER_S)
#define RECORDS_KEPT_MAX 1100

struct buf;
struct records_queries;
struct rig;

typedef void respond_fn(struct rig *r, struct tiny_conn *c);

struct rig {
    struct client_rig base;
    struct records_queries *queries;
    int64_t started_us;
    /* the server: a list of so many records, or respond's doing */
    int64_t n_records;
    int64_t total;          /* TotalCount; -1: left out */
    const char *odd_record; /* in place of the list's first */
    respond_fn *respond;
    int64_t date_off_s; /* of the answers' Date */
    bool no_date;
    int64_t begin_s, offset; /* of the last request */
    unsigned requests;
    /* what came */
    unsigned answers, wanted;
    uint64_t ticket;
    struct records_answer answer;
    struct send_record records[RECORDS_KEPT_MAX];
};

/* The one rig, with the provider's clock known. */
struct rig *rig_start(void);
void rig_end(struct rig *r);

void rig_ask(struct rig *r, uint64_t ticket, int64_t back_us);
void rig_run(struct rig *r, unsigned n); /* until n more answers have come */
void rig_ask_and_run(struct rig *r);     /* an hour back; checks what every answer has */

void rig_learn(struct rig *r, int64_t date_s); /* as from another answer */
void rig_move_clock(int64_t by_us);
int64_t rig_provider_now_s(const struct rig *r);

/* For respond. */
void rig_add_record(struct buf *out, const char *serial, int status, const char *code,
                    int64_t time_s);
void rig_reply(struct rig *r, struct tiny_conn *c, const char *body);
void rig_reply_page(struct rig *r, struct tiny_conn *c); /* record i is i seconds old */

#endif

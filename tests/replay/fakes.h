/*
 * Fake ports: they keep what the pipeline asks for, by job, until the scenario answers or expects
 * it. A worker is made, crashed and made again; the fakes' memory of it goes with it.
 */
#ifndef SENDCODE_TESTS_REPLAY_FAKES_H
#define SENDCODE_TESTS_REPLAY_FAKES_H

#include "common/base.h"
#include "worker/pipeline.h"

#define FAKE_LOG_MAX 1024

/* One thing that the pipeline asked of a port. */
enum asked {
    ASKED_CLAIM,
    ASKED_SEND,
    ASKED_RECORD,
    ASKED_EVENT,
    ASKED_DEAD,
    ASKED_NOTE,
    ASKED_QUERY,
    ASKED_SETTLE,
    ASKED_RELEASE,
    ASKED_OUTBOX
};

struct asked_for {
    enum asked what;
    uint64_t ticket;
    char job[80];     /* job_id; for dead letters and notes "PARTITION:OFFSET" */
    char detail[160]; /* what EXPECT lines compare: state, reason, code … */
    int64_t at_us;    /* boot clock: when it was asked */
    bool answered;
    bool expected;
};

struct fakes {
    struct pipeline *pipeline;
    struct jobs_source source;
    struct claims claims;
    struct sender sender;
    struct outcomes outcomes;
    struct events events;
    struct asked_for log[FAKE_LOG_MAX];
    size_t n_log;
    struct claim_ask asks[FAKE_LOG_MAX]; /* of the claims; their jobs are dead pointers */
    size_t n_asks;
    size_t credit;
    struct source_offset commits[64]; /* the last position asked for, by order of first commit */
    size_t n_commits;
    bool claims_busy, outcomes_busy; /* a request is under way */
    bool claims_away, outcomes_away; /* the scenario took the database away */
    bool sender_not_ready;
    bool commits_wait, committing; /* the scenario answers commits */
    bool chores_wait;              /* sweep and outbox occupy the connection until answered */
    struct epoch_ask epoch_asks[16];
    size_t n_epoch_asks;
    unsigned probes, sweeps, takes, shares, parked_takes;
    int64_t share_rate, share_demand; /* of the last beat */
    size_t unacked;                   /* besides those in the log */
    struct parked_ask parked_ask;     /* the last one */
    bool closing;
};

void fakes_init(struct fakes *f);
void fakes_log(struct fakes *f, enum asked what, uint64_t ticket, const char *job,
               const char *detail);

/* The oldest unanswered of that kind for that job; NULL if there is none. */
struct asked_for *fakes_find(struct fakes *f, enum asked what, const char *job);

/* The commit under way is through, if there is one. */
void fakes_answer_commit(struct fakes *f);

/* The claim asked for last under this ticket; aborts when there is none. */
const struct claim_ask *fakes_ask(const struct fakes *f, uint64_t ticket);

#endif

/* The scenarios' interpreter: one command a line, each with words and key=value pairs. */
#ifndef SENDCODE_TESTS_REPLAY_REPLAY_H
#define SENDCODE_TESTS_REPLAY_REPLAY_H

#include "common/base.h"
#include "common/domain/job_status.h"
#include "tests/replay/fake_receipts.h"
#include "tests/replay/fakes.h"
#include "worker/health.h"
#include "worker/meters.h"

#define WORDS_MAX 24

struct settings;

struct line {
    const char *path;
    int number;
    const char *words[WORDS_MAX];
    size_t n;
};

struct replay {
    const char *conf;
    struct loop *loop;
    struct health health;
    struct meters meters;
    struct fakes fakes;
    struct receipts *receipts;
    struct fake_receipts fake_receipts;
    bool drained, receipts_drained;
};

/* Prints where and why, and ends the program with 1. */
NORETURN PRINTF_LIKE(2, 3) void replay_fail(const struct line *l, const char *fmt, ...);

/* Word i, or a failure; the value of key=…, or `otherwise`. */
const char *line_word(const struct line *l, size_t i);
const char *line_value(const struct line *l, const char *key, const char *otherwise);
int64_t line_number(const struct line *l, const char *key, int64_t otherwise);
bool line_has(const struct line *l, const char *word);
int64_t line_duration_us(const struct line *l, const char *text); /* "300ms", "5s" */

struct settings *replay_load(const struct replay *r);
void replay_start(struct replay *r); /* a worker, as new */
void replay_stop(struct replay *r);  /* as if killed */

struct act {
    const char *name;
    void (*run)(struct replay *r, const struct line *l);
};

/* Runs the line's command if it is one of these, and a turn of the loop. */
bool replay_run(struct replay *r, const struct line *l, const struct act *acts, size_t n);

/* True when the command is one of theirs. */
bool acts_run(struct replay *r, const struct line *l);
bool acts_around_run(struct replay *r, const struct line *l);
bool acts_parked_run(struct replay *r, const struct line *l);
bool acts_receipts_run(struct replay *r, const struct line *l);

/* The one asked for and not answered, by the line's first word; it counts as answered then. */
struct asked_for *acts_must_find(struct replay *r, const struct line *l, enum asked what);
/* A job's status: state=…, reason=…, attempt=…, seq=…; otherwise is "STATE [REASON]". */
struct job_status acts_read_status(const struct line *l, const char *job, const char *otherwise);

bool expects_run(struct replay *r, const struct line *l);

#endif

/*
 * Faults that tests ask for (POST /faults, CONTRACT.md section 9): which requests they meet, how
 * often, and what happens to those.
 */
#ifndef SENDCODE_SANDBOX_FAULT_H
#define SENDCODE_SANDBOX_FAULT_H

#include "common/base.h"
#include "sandbox/number.h"

struct buf;
struct dice;
struct err;

#define FAULTS_MAX 1000
#define FAULT_ACTION_SIZE 64
#define FAULT_CODE_SIZE 96
#define FAULT_DELAY_MAX_MS 600000

enum fault_kind {
    FAULT_DELAY,    /* nothing but delay_ms */
    FAULT_CODE,     /* the code of each number met */
    FAULT_ENVELOPE, /* the error of the whole answer */
    FAULT_DROP,     /* the connection ends without an answer */
    FAULT_TRUNCATE, /* the answer ends after some bytes */
    FAULT_REPLY,    /* another status or body than Tencent's */
    FAULT_HANG,     /* no answer, and the connection stays */
    FAULT_RATE,     /* RequestLimitExceeded above so many a second */
};

struct fault {
    struct fault *prev, *next;
    int64_t id;
    char action[FAULT_ACTION_SIZE]; /* "": every action */
    char phone[NUMBER_SIZE];        /* "": every number */
    double probability;             /* of a request that fits, 0 to 1 */
    int64_t every;                  /* the n-th, 2n-th … that fits */
    int64_t times;                  /* at most; 0: without end */
    enum fault_kind kind;
    char code[FAULT_CODE_SIZE];
    int64_t delay_us;
    int64_t truncate; /* bytes */
    int64_t status;   /* 0: 200 */
    char *body;       /* NULL: Tencent's; owned */
    bool drop_after;
    int64_t rate; /* a second */
    bool accept;  /* whether an SMS is accepted all the same */
    int64_t fitted, used;
    double tokens;
    int64_t refilled_us;
};

struct faults {
    struct fault *list; /* the oldest first */
    size_t n;
    int64_t last_id;
};

/* From the body of POST /faults; the caller adds or frees it. NULL: one sentence in e. */
NODISCARD struct fault *fault_parse(const char *json, size_t len, struct err *e);
void fault_free(struct fault *f);
void fault_add_json(const struct fault *f, struct buf *out);

/* Takes f over. -1 when FAULTS_MAX faults are still under way; f stays the caller's then. */
NODISCARD int faults_add(struct faults *all, struct fault *f, struct err *e);
/* The first fault that meets a request for these numbers, counted as used; NULL: none does. */
const struct fault *faults_pick(struct faults *all, const char *action, const char *const *phones,
                                size_t n_phones, int64_t now_us, struct dice *dice);
void faults_clear(struct faults *all);

/* Whether it is about this number. */
bool fault_meets_phone(const struct fault *f, const char *e164);

#endif

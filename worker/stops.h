/*
 * Where sending is stopped because the provider refuses for a reason that an operator must mend:
 * the whole account, or one scene (DESIGN.md section 7). While stopped, one job at a time is let
 * through as a trial each probe interval (of the account only after a harmless query was answered
 * well, so that a wrong key burns no attempts); anything but a refusal of that kind ends the stop.
 * Requests overlap, so their order is that in which they began: what began before the stop does not
 * end it, and what began before a good one does not stop again.
 * Also keeps the rows of like refusals that turn into a stop.
 */
#ifndef SENDCODE_WORKER_STOPS_H
#define SENDCODE_WORKER_STOPS_H

#include <uthash.h>

#include "common/base.h"
#include "common/domain/phone.h"

#define STOP_STREAK 5 /* different phones refused alike in a row */

struct buf;
struct meters;

struct stop {
    char name[64];       /* the scene's name; "" is the account */
    char reason[96];     /* the provider's code, or our own word; "" when not stopped */
    const char *remedy;  /* one clause, for good */
    bool trial;          /* a trial is under way */
    int64_t trial_at_us; /* boot clock, as all of these: the next trial not before */
    int64_t since_us;    /* when it was stopped */
    int64_t good_us;     /* when the latest request began that was taken */
    char streak_code[96];
    char streak_phones[STOP_STREAK][PHONE_MAX + 1];
    unsigned streak;
    UT_hash_handle hh;
};

struct stops {
    struct stop *by_name;
    struct stop account;
    struct meters *meters;
    int64_t probe_interval_us;
};

void stops_init(struct stops *s, struct meters *meters, int64_t probe_interval_us);
void stops_free(struct stops *s);

/* The configuration may be mended: stopped scenes are tried at once, a scene that is gone (is_there
 * says so) is not stopped any more. */
void stops_on_reload(struct stops *s, bool (*is_there)(void *arg, const char *scene), void *arg,
                     int64_t now_us);

/* What a job of this scene meets now. */
enum stop_answer { STOP_GO, STOP_TRIAL, STOP_HOLD };
enum stop_answer stops_ask(struct stops *s, const char *scene, int64_t now_us);

/* Whether jobs of this scene are held now. Changes nothing. */
bool stops_hold(const struct stops *s, const char *scene);

/* The trial let through by stops_ask ended without saying anything about the stop. */
void stops_on_trial_over(struct stops *s, const char *scene, int64_t now_us);

/* Why the provider refused, for an operator to mend. */
struct stop_cause {
    bool account;       /* it concerns every scene */
    const char *reason; /* the provider's code, or our own word */
    const char *remedy; /* one clause that lives on; NULL: see docs/OPERATIONS.md */
    int64_t began_us;   /* when the request that met it began */
};
void stops_on_refused(struct stops *s, const char *scene, const struct stop_cause *cause,
                      int64_t now_us);

/* The provider took a request of this scene that began then, or refused it for the number's own
 * sake: true if that ended a stop. */
NODISCARD bool stops_on_answer(struct stops *s, const char *scene, bool accepted, int64_t began_us);

/* One number was refused for good. True when that makes the row full: take it for a refusal to be
 * mended. */
NODISCARD bool stops_on_number_refused(struct stops *s, const char *scene, const char *phone,
                                       const char *code);

/* The answer to a harmless query: NULL lets the account's next trial go, else its code or why. */
void stops_on_probed(struct stops *s, const char *why, int64_t now_us);

bool stops_account_is_stopped(const struct stops *s);
/* One sentence naming what is stopped and why; nothing when nothing is. */
void stops_say(const struct stops *s, struct buf *out);

#endif

/*
 * States and reasons of a job, written once (CONTRACT.md sections 3 and 4). Which moves are allowed
 * the database's functions know, which alone make them.
 */
#ifndef SENDCODE_COMMON_DOMAIN_JOB_STATE_H
#define SENDCODE_COMMON_DOMAIN_JOB_STATE_H

#include "common/base.h"

/* X(SUFFIX, text, final): final means that no decision moves it any more. */
#define JOB_STATES(X)                                                                              \
    X(CLAIMED, "claimed", false)                                                                   \
    X(RETRY, "retry", false)                                                                       \
    X(IN_DOUBT, "in_doubt", false)                                                                 \
    X(SENT, "sent", true)                                                                          \
    X(DELIVERED, "delivered", true)                                                                \
    X(UNDELIVERED, "undelivered", true)                                                            \
    X(REJECTED, "rejected", true)                                                                  \
    X(LIMITED, "limited", true)                                                                    \
    X(SUPERSEDED, "superseded", true)                                                              \
    X(EXPIRED, "expired", true)                                                                    \
    X(UNKNOWN, "unknown", true)

#define JOB_REASONS(X)                                                                             \
    X(COOLDOWN, "cooldown")                                                                        \
    X(PER_HOUR, "per_hour")                                                                        \
    X(PER_DAY, "per_day")                                                                          \
    X(PHONE, "phone")                                                                              \
    X(ADDRESS, "address")                                                                          \
    X(COUNTRY, "country")                                                                          \
    X(LOCKED, "locked")                                                                            \
    X(PROVIDER_LIMIT, "provider_limit")                                                            \
    X(NUMBER, "number")                                                                            \
    X(CONTENT, "content")                                                                          \
    X(CARRIER, "carrier")                                                                          \
    X(DEADLINE, "deadline")                                                                        \
    X(NEWER_JOB, "newer_job")                                                                      \
    X(FORMAT, "format")                                                                            \
    X(CONFIGURATION, "configuration")

#define JOB_STATE_ENUM_(suffix, text, final) JOB_##suffix,
#define JOB_REASON_ENUM_(suffix, text) REASON_##suffix,
/* JOB_NEW: not yet in the database; never stored, never named outside. */
enum job_state { JOB_NEW, JOB_STATES(JOB_STATE_ENUM_) JOB_STATE_COUNT };
enum job_reason { REASON_NONE, JOB_REASONS(JOB_REASON_ENUM_) JOB_REASON_COUNT };
#undef JOB_STATE_ENUM_
#undef JOB_REASON_ENUM_

const char *job_state_to_text(enum job_state s);
NODISCARD bool job_state_from_text(const char *s, enum job_state *out);
bool job_state_is_final(enum job_state s);
const char *job_reason_to_text(enum job_reason r); /* NULL for REASON_NONE */
NODISCARD bool job_reason_from_text(const char *s, enum job_reason *out);

#endif

/* What sendcode.claim takes and gives, in the order of its call and of its answer. */
#ifndef SENDCODE_WORKER_PG_PG_CLAIMS_CALL_H
#define SENDCODE_WORKER_PG_PG_CLAIMS_CALL_H

#include "worker/pg/pg_status.h"

/* X(SUFFIX, parameter, type) */
#define CLAIM_COLUMNS(X)                                                                           \
    X(PARTITION, "p_partition", PG_INT4)                                                           \
    X(OFFSET, "p_offset", PG_INT8)                                                                 \
    X(INCARNATION, "p_incarnation", PG_INT4)                                                       \
    X(EPOCH, "p_epoch", PG_INT8)                                                                   \
    X(JOB_ID, "p_job_id", PG_TEXT)                                                                 \
    X(PHONE, "p_phone", PG_TEXT)                                                                   \
    X(SCENE, "p_scene", PG_TEXT)                                                                   \
    X(REQUESTED_AT, "p_requested_at", PG_TIMESTAMPTZ)                                              \
    X(DEADLINE, "p_deadline", PG_TIMESTAMPTZ)                                                      \
    X(LOCALE, "p_locale", PG_TEXT)                                                                 \
    X(CLIENT_IP, "p_client_ip", PG_TEXT)                                                           \
    X(TRACEPARENT, "p_traceparent", PG_TEXT)                                                       \
    X(TRACESTATE, "p_tracestate", PG_TEXT)                                                         \
    X(REFUSAL, "p_refusal", PG_TEXT)                                                               \
    X(TTL, "p_ttl", PG_INT4)                                                                       \
    X(RESEND_SAME, "p_resend_same", PG_BOOL)                                                       \
    X(CODE_LENGTH, "p_code_length", PG_INT4)                                                       \
    X(COOLDOWN, "p_cooldown", PG_INT4)                                                             \
    X(PER_HOUR, "p_per_hour", PG_INT4)                                                             \
    X(PER_DAY, "p_per_day", PG_INT4)                                                               \
    X(MAX_TRIES, "p_max_tries", PG_INT4)                                                           \
    X(TRIES_WINDOW, "p_tries_window", PG_INT4)                                                     \
    X(MAX_TRIES_DAY, "p_max_tries_day", PG_INT4)                                                   \
    X(NONCE, "p_nonce", PG_BYTEA)                                                                  \
    X(PROOF, "p_proof", PG_BYTEA)                                                                  \
    X(KEY_ID, "p_key_id", PG_BYTEA)

/* Places in the answer. */
enum answer_column {
    ANSWER_IDX,
    ANSWER_VERDICT,
    ANSWER_WAIT_MS,
    ANSWER_DAY,
    ANSWER_DEADLINE_IN_MS,
    ANSWER_LIFE_MS,
    ANSWER_CODE_LENGTH,
    ANSWER_NONCE,
    ANSWER_PROOF,
    ANSWER_KEY_ID,
    ANSWER_STATUS,
};
enum { CLAIM_LIMITS = 5, CLAIM_SCALARS = 6 + CLAIM_LIMITS };
#define CLAIM_HEAD                                                                                 \
    "select idx, verdict, wait_ms, day, deadline_in_ms, life_ms, code_length, nonce, proof, "      \
    "key_id, " PG_STATUS_COLUMNS " from sendcode.claim(p_claim_id => $1::uuid, "                   \
    "p_worker => $2::text, p_topic => $3::text, p_takeover_ms => $4::int, "                        \
    "p_not_after_ms => $5::int, p_known_keys => $6::bytea[], p_phone_per_day => $7::int, "         \
    "p_address_per_hour => $8::int, p_address_per_day => $9::int, "                                \
    "p_provider_per_day => $10::int, p_provider_interval => $11::int"

#endif

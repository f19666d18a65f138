/* A send-code job: the parsed value of a record of the jobs topic (CONTRACT.md section 2). */
#ifndef SENDCODE_COMMON_DOMAIN_JOB_H
#define SENDCODE_COMMON_DOMAIN_JOB_H

#include "common/base.h"

struct arena;
struct settings;
struct scene;

#define JOB_VALUE_MAX 8192
#define JOB_DEPTH_MAX 32
#define JOB_ID_MAX 64

struct job {
    const char *job_id;
    const char *phone;
    const char *scene_name;
    const struct scene
        *scene; /* settings for its locale; lives as long as the settings it was parsed with */
    const char *locale;      /* NULL if absent */
    const char *client_ip;   /* canonical text (v4-mapped as v4), NULL if absent */
    const char *traceparent; /* from the headers, NULL if absent or too long */
    const char *tracestate;
    int64_t requested_at_us; /* Unix microseconds */
    int64_t deadline_us;     /* given, or requested_at + the scene's send_within */
};

/* The first rule that a value breaks. X(SUFFIX, metric label, text for `sendcode-error`) */
#define JOB_FAULTS(X)                                                                              \
    X(TOMBSTONE, "tombstone", "the record has no value")                                           \
    X(TOO_LONG, "too_long", "the value is longer than 8192 bytes")                                 \
    X(NOT_UTF8, "not_utf8", "the value is not UTF-8")                                              \
    X(BOM, "not_json", "the value begins with a byte-order mark")                                  \
    X(NOT_JSON, "not_json", "the value is not one well-formed JSON value")                         \
    X(TOO_DEEP, "too_deep", "the value is nested deeper than 32 levels")                           \
    X(NOT_OBJECT, "not_json", "the value is not a JSON object")                                    \
    X(REPEATED_KEY, "repeated_key", "a key stands twice in the object")                            \
    X(CODE, "code", "the field code is not allowed: codes never rest in Kafka")                    \
    X(RESERVED, "reserved", "a reserved field is present")                                         \
    X(VERSION, "version", "v is not 1")                                                            \
    X(JOB_ID, "job_id", "job_id is not 1 to 64 of A-Z a-z 0-9 . _ : -")                            \
    X(PHONE, "phone", "phone is not + and 8 to 15 digits, the first not 0")                        \
    X(SCENE, "scene", "scene is not 1 to 32 of a-z 0-9 . _ -")                                     \
    X(UNKNOWN_SCENE, "unknown_scene", "scene is not configured")                                   \
    X(REQUESTED_AT, "requested_at", "requested_at is not an RFC 3339 time")                        \
    X(DEADLINE, "deadline", "deadline is not an RFC 3339 time after requested_at, within 24 h")    \
    X(LOCALE, "locale", "locale is not 1 to 35 of A-Z a-z 0-9 -")                                  \
    X(CLIENT_IP, "client_ip", "client_ip is not an IPv4 or IPv6 address")                          \
    X(FUTURE, "future", "requested_at is more than 5 minutes ahead")                               \
    X(REFUSED_ROW, "database", "the database refused the job")

#define JOB_FAULT_ENUM_(suffix, label, text) JOB_FAULT_##suffix,
enum job_fault { JOB_OK, JOB_FAULTS(JOB_FAULT_ENUM_) JOB_FAULT_COUNT };
#undef JOB_FAULT_ENUM_

const char *job_fault_to_text(enum job_fault f); /* one ASCII line, quotes nothing from the value */
const char *job_fault_to_label(enum job_fault f); /* for metrics and record_other.reason */

/*
 * Reads a value into *out, whose strings live in the arena. value NULL is a tombstone. Pure: knows
 * no clock; the rules about now are the database's. JOB_OK, or the first rule broken.
 * No memory: *no_memory becomes true and the result means nothing.
 */
NODISCARD enum job_fault job_parse(struct arena *a, const struct settings *s, const void *value,
                                   size_t len, struct job *out, bool *no_memory);

/* "code" must not be copied to the dead letter topic: it was refused for it, or is unparsed and
 * contains it. */
bool job_value_may_hold_code(enum job_fault f, const void *value, size_t len);

#endif

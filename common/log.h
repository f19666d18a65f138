/*
 * Logging in logfmt to stderr, one line a call, one write(2) a line:
 *   t=2026-11-22T08:00:00.123Z level=info msg="kafka is back" after_s=3
 * Severity is a contract: info normal; warn degraded, going on; error a call or a job lost its way;
 * fatal the environment is wrong (the caller then exits). Values are quoted as needed; the caller
 * masks phones and never passes codes or secrets.
 */
#ifndef SENDCODE_COMMON_LOG_H
#define SENDCODE_COMMON_LOG_H

#include "common/base.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_FATAL };

struct log_field {
    const char *key; /* NULL: no field */
    const char *s;   /* text value; NULL leaves the field out when is_int is false */
    int64_t i;
    bool is_int;
};

/* Fields: LS("topic", text) (left out when text is NULL), LI("n", integer). */
#define LS(k, v) ((struct log_field){.key = (k), .s = (v)})
#define LI(k, v) ((struct log_field){.key = (k), .i = (int64_t)(v), .is_int = true})

void log_write(enum log_level level, const char *msg, const struct log_field *fields, size_t n);

#define LOG_FIELDS_(...) ((const struct log_field[]){{.key = NULL}, ##__VA_ARGS__})
#define log_at(level, msg, ...)                                                                    \
    log_write(level, msg, LOG_FIELDS_(__VA_ARGS__), ARRAY_LEN(LOG_FIELDS_(__VA_ARGS__)))
#define log_debug(msg, ...) log_at(LOG_DEBUG, msg, ##__VA_ARGS__)
#define log_info(msg, ...) log_at(LOG_INFO, msg, ##__VA_ARGS__)
#define log_warn(msg, ...) log_at(LOG_WARN, msg, ##__VA_ARGS__)
#define log_error(msg, ...) log_at(LOG_ERROR, msg, ##__VA_ARGS__)
#define log_fatal(msg, ...) log_at(LOG_FATAL, msg, ##__VA_ARGS__)

/*
 * For noisy messages: log_gate_open says whether to log now (the first time, then at most once each
 * period_us) and how many were swallowed since; log_gate_reset makes the next one the first again
 * and returns true if anything had been logged (so that "is back" is said only then).
 */
struct log_gate {
    int64_t period_us;
    int64_t next_us;
    int64_t dropped;
    bool open;
};
NODISCARD bool log_gate_open(struct log_gate *g, int64_t *dropped);
bool log_gate_reset(struct log_gate *g);

void log_set_level(enum log_level least);
NODISCARD bool log_level_from_text(const char *s, enum log_level *out);

/* Test hook: lines go to fn instead of stderr; NULL restores. */
void log_set_sink(void (*fn)(void *arg, const char *line, size_t len), void *arg);

#endif

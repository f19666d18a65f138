/* Attributes and small macros that every file may use. Includes nothing of ours. */
#ifndef SENDCODE_COMMON_BASE_H
#define SENDCODE_COMMON_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NODISCARD __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* Durations and points of time are int64_t microseconds, and say so in their names. */
#define US_PER_MS INT64_C(1000)
#define US_PER_S INT64_C(1000000)

/* Exit codes of all programs (CONTRACT.md section 1). */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_NO = 1,
    EXIT_USAGE_ERROR = 64,
    EXIT_UNREACHABLE = 69,
    EXIT_BUG = 70,
    EXIT_CONFIGURATION = 78,
};

/* Our bug: prints one line with file and line, and ends the program with EXIT_BUG at once, without
 * a core (codes and keys would be in it). Never for bad input. */
#define panic(...) panic_at(__FILE__, __LINE__, __VA_ARGS__)
NORETURN PRINTF_LIKE(3, 4) void panic_at(const char *file, int line, const char *fmt, ...);

/* What uthash does without memory, be it included before or after this. */
#undef uthash_fatal
#define uthash_fatal(msg) panic("uthash: %s", msg)

#endif

/* Small, strict readers of text: numbers, hex, UTF-8, and times in RFC 3339. */
#ifndef SENDCODE_COMMON_TEXT_H
#define SENDCODE_COMMON_TEXT_H

#include "common/base.h"

/* The whole of s is a decimal integer between lo and hi: true and *out. No sign but '-', no spaces.
 */
NODISCARD bool text_to_int(const char *s, int64_t lo, int64_t hi, int64_t *out);

int text_hex_digit(char c); /* its value, -1 if it is none */

/* Exactly 2*size hex digits in either case: true and `size` bytes in out. */
NODISCARD bool text_hex_to_bytes(const char *s, size_t len, uint8_t *out, size_t size);

NODISCARD bool text_is_utf8(const char *s,
                            size_t len); /* no surrogates, no overlong forms, ≤ U+10FFFF */
bool text_has_nul(const char *s, size_t len);
size_t text_utf8_length(const char *s); /* in characters; s is UTF-8 */

/* Every byte of s (len > 0) is in `set`, as in strspn. */
bool text_all_in(const char *s, size_t len, const char *set);

/* Cuts s to at most max bytes without splitting a UTF-8 character; returns the length to keep. */
size_t text_utf8_cut(const char *s, size_t len, size_t max);

/*
 * RFC 3339 as CONTRACT.md section 2 has it: capital T and Z or numeric zone, seconds 00-59,
 * 0-9 fraction digits (beyond microseconds cut off). True and Unix microseconds.
 */
NODISCARD bool text_to_time_us(const char *s, size_t len, int64_t *out_us);

/* "2026-11-22T08:00:00.123Z" into out (at least 25 bytes). */
#define TEXT_TIME_SIZE 32
void text_from_time_us(int64_t wall_us, char out[TEXT_TIME_SIZE]);

/* "2026-11-22" (UTC) into out (at least 11 bytes). */
void text_from_date_us(int64_t wall_us, char out[16]);

#endif

/* Times in RFC 3339, read and written. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/text.h"

/* Exactly n digits at *p, between lo and hi; moves *p behind them. */
static bool read_number(const char **p, const char *end, size_t n, int lo, int hi, int *out)
{
    if ((size_t)(end - *p) < n) {
        return false;
    }
    int value = 0;
    for (size_t i = 0; i < n; i++) {
        char c = (*p)[i];
        if (c < '0' || c > '9') {
            return false;
        }
        value = value * 10 + (c - '0');
    }
    *p += n;
    *out = value;
    return value >= lo && value <= hi;
}

static bool read_char(const char **p, const char *end, char c)
{
    if (*p == end || **p != c) {
        return false;
    }
    (*p)++;
    return true;
}

/* ".123456789" with 1 to 9 digits, or nothing: microseconds, the rest cut off. */
static bool read_fraction(const char **p, const char *end, int64_t *us)
{
    *us = 0;
    if (!read_char(p, end, '.')) {
        return true;
    }
    int64_t unit = US_PER_S;
    size_t n = 0;
    for (; *p < end && **p >= '0' && **p <= '9'; (*p)++, n++) {
        unit /= 10;
        *us += (**p - '0') * unit;
    }
    return n >= 1 && n <= 9;
}

/* "Z" or "+08:00": seconds east of UTC. */
static bool read_zone(const char **p, const char *end, int64_t *seconds)
{
    *seconds = 0;
    if (read_char(p, end, 'Z')) {
        return true;
    }
    int sign = read_char(p, end, '+') ? 1 : read_char(p, end, '-') ? -1 : 0;
    int hours = 0;
    int minutes = 0;
    if (sign == 0 || !read_number(p, end, 2, 0, 23, &hours) || !read_char(p, end, ':') ||
        !read_number(p, end, 2, 0, 59, &minutes)) {
        return false;
    }
    *seconds = sign * (hours * INT64_C(3600) + minutes * INT64_C(60));
    return true;
}

bool text_to_time_us(const char *s, size_t len, int64_t *out_us)
{
    const char *p = s;
    const char *end = s + len;
    struct tm tm = {0};
    int year = 0;
    int month = 0;
    int64_t fraction_us = 0;
    int64_t zone_s = 0;
    if (!read_number(&p, end, 4, 0, 9999, &year) || !read_char(&p, end, '-') ||
        !read_number(&p, end, 2, 1, 12, &month) || !read_char(&p, end, '-') ||
        !read_number(&p, end, 2, 1, 31, &tm.tm_mday) || !read_char(&p, end, 'T') ||
        !read_number(&p, end, 2, 0, 23, &tm.tm_hour) || !read_char(&p, end, ':') ||
        !read_number(&p, end, 2, 0, 59, &tm.tm_min) || !read_char(&p, end, ':') ||
        !read_number(&p, end, 2, 0, 59, &tm.tm_sec) || !read_fraction(&p, end, &fraction_us) ||
        !read_zone(&p, end, &zone_s) || p != end) {
        return false;
    }
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    int day = tm.tm_mday;
    int64_t seconds = timegm(&tm);
    if (tm.tm_mday != day) {
        return false; /* timegm carried February 30 over into March */
    }
    *out_us = (seconds - zone_s) * US_PER_S + fraction_us;
    return true;
}

/* "2026-11-22T08:00:00" (strftime pads no year); returns the microseconds of the second. */
static int64_t format_seconds(int64_t wall_us, char out[TEXT_TIME_SIZE])
{
    int64_t us = wall_us % US_PER_S;
    if (us < 0) {
        us += US_PER_S;
    }
    time_t seconds = (wall_us - us) / US_PER_S;
    struct tm tm;
    if (gmtime_r(&seconds, &tm) == NULL) {
        panic("no calendar date for second %lld", (long long)seconds);
    }
    int n = snprintf(out, TEXT_TIME_SIZE, "%04u", ((unsigned)tm.tm_year + 1900u) % 10000u);
    strftime(out + n, TEXT_TIME_SIZE - (size_t)n, "-%m-%dT%H:%M:%S", &tm);
    return us;
}

void text_from_time_us(int64_t wall_us, char out[TEXT_TIME_SIZE])
{
    int64_t us = format_seconds(wall_us, out);
    size_t n = strlen(out);
    snprintf(out + n, TEXT_TIME_SIZE - n, ".%03uZ", (unsigned)(us / US_PER_MS) % 1000u);
}

void text_from_date_us(int64_t wall_us, char out[16])
{
    char time[TEXT_TIME_SIZE];
    (void)format_seconds(wall_us, time);
    memcpy(out, time, strlen("2026-11-22"));
    out[strlen("2026-11-22")] = '\0';
}

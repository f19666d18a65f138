/*
 * The bytes are parsed first, so that what follows may rest on their grammar: a member ends at the
 * comma or brace that stands in no string, array or object.
 */
#include "ctl/fresh.h"

#include <string.h>

#include "common/buf.h"
#include "common/domain/job.h"
#include "common/json.h"
#include "common/text.h"

#define BLANKS " \t\r\n"

/* Behind the string whose opening quote stands at p. */
static const char *skip_string(const char *p)
{
    for (p++; *p != '"'; p++)
        if (*p == '\\')
            p++;
    return p + 1;
}

/* At the ',' or '}' that ends the member that begins at p. */
static const char *find_member_end(const char *p)
{
    int depth = 0;

    while (depth > 0 || (*p != ',' && *p != '}')) {
        if (*p == '"') {
            p = skip_string(p);
            continue;
        }
        if (*p == '{' || *p == '[')
            depth++;
        else if (*p == '}' || *p == ']')
            depth--;
        p++;
    }
    return p;
}

/* The member [p, end) has this key; escapes count as what they stand for. */
static bool has_key(const char *p, const char *end, const char *key)
{
    const struct json_limits limits = {.max_depth = 1};
    const char *quote = memchr(p, '"', (size_t)(end - p));
    struct json *name = json_parse(quote, (size_t)(skip_string(quote) - quote), &limits, NULL);
    size_t len = 0;
    const char *text = json_string(name, &len);
    bool same = text && len == strlen(key) && memcmp(text, key, len) == 0;
    json_free(name);
    return same;
}

static bool is_blank(const char *p, const char *end)
{
    return p == end || text_all_in(p, (size_t)(end - p), BLANKS);
}

/* The member with its value, and nothing else of it, replaced by a text. */
static void add_with_text(struct buf *out, const char *p, const char *end, const char *text)
{
    const char *value = skip_string(memchr(p, '"', (size_t)(end - p)));
    const char *behind = end;

    value += strcspn(value, ":") + 1;
    value += strspn(value, BLANKS);
    while (strchr(BLANKS, behind[-1]))
        behind--;
    buf_add(out, p, (size_t)(value - p));
    buf_add_fmt(out, "\"%s\"", text);
    buf_add(out, behind, (size_t)(end - behind));
}

/* Copies the members that begin at p, dated anew; returns the brace behind them. */
static const char *copy_members(struct buf *out, const char *p, const char *now)
{
    bool dated = false;
    const char *comma = "";

    for (;; p++) {
        const char *end = find_member_end(p);

        if (!is_blank(p, end) && !has_key(p, end, "deadline")) {
            buf_add_text(out, comma);
            comma = ",";
            if (has_key(p, end, "requested_at")) {
                add_with_text(out, p, end, now);
                dated = true;
            } else {
                buf_add(out, p, (size_t)(end - p));
            }
        }
        p = end;
        if (*p == '}')
            break;
    }
    if (!dated)
        buf_add_fmt(out, "%s\"requested_at\":\"%s\"", comma, now);
    return p;
}

static bool is_object(const char *value, size_t len)
{
    const struct json_limits limits = {.max_depth = JOB_DEPTH_MAX, .unique_top_keys = true};
    struct json *j = value ? json_parse(value, len, &limits, NULL) : NULL;
    bool yes = json_type(j) == JSON_OBJECT;

    json_free(j);
    return yes;
}

int fresh_value(const void *value, size_t len, int64_t now_us, struct buf *out)
{
    const char *bytes = value;
    const char *p;
    char now[TEXT_TIME_SIZE];

    buf_clear(out);
    if (!is_object(bytes, len))
        return -1;
    text_from_time_us(now_us, now);
    p = (const char *)memchr(bytes, '{', len) + 1;
    buf_add(out, bytes, (size_t)(p - bytes));
    p = copy_members(out, p, now);
    buf_add(out, p, (size_t)(bytes + len - p));
    if (out->failed)
        panic("no memory for a value of %zu bytes", len);
    return 0;
}

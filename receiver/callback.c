/* A callback, receipt by receipt and member by member. */
#include "receiver/callback.h"

#include <stdio.h>
#include <string.h>

#include "common/domain/phone.h"
#include "common/domain/receipt.h"
#include "common/err.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/text.h"

#define DEPTH_MAX 32
#define TIME_FORM "0000-00-00 00:00:00"
#define TIME_LENGTH (sizeof(TIME_FORM) - 1)

/* A member that is 1 … max bytes of `set`; else NULL. Lives as long as j. */
static const char *read_text(const struct json *j, const char *key, const char *set, size_t max)
{
    const char *text = json_get_text(j, key);
    size_t len = text ? strlen(text) : 0;

    return len > 0 && len <= max && text_all_in(text, len, set) ? text : NULL;
}

/* Digits, given as a text or as a number. */
static const char *read_digits(const struct json *j, const char *key, char out[24])
{
    int64_t number = 0;

    if (json_int(json_get(j, key), &number) && number > 0)
        snprintf(out, 24, "%lld", (long long)number);
    else
        snprintf(out, 24, "%.23s", json_get_text(j, key) ? json_get_text(j, key) : "");
    return out;
}

/* nationcode and mobile put together, unless mobile is whole. */
static bool read_phone(const struct json *j, char out[PHONE_MAX + 1])
{
    char country[24], rest[24];

    read_digits(j, "nationcode", country);
    read_digits(j, "mobile", rest);
    if (rest[0] != '+')
        return phone_join(country[0] == '+' ? country + 1 : country, rest, out);
    int len = snprintf(out, PHONE_MAX + 1, "%s", rest);
    return len <= PHONE_MAX && phone_is_valid(out, (size_t)len);
}

/* "2026-11-24 08:00:00" in China, which is eight hours ahead all the year. 0: not said. */
static int64_t read_time(const struct json *j)
{
    const char *text = json_get_text(j, "user_receive_time");
    char whole[TIME_LENGTH + sizeof("+08:00")];
    int64_t us = 0;

    if (!text || strlen(text) != TIME_LENGTH || text[10] != ' ')
        return 0;
    snprintf(whole, sizeof whole, "%s+08:00", text);
    whole[10] = 'T';
    return text_to_time_us(whole, strlen(whole), &us) && us > 0 ? us : 0;
}

static const char *fault_of(const struct json *j, const struct receipt *r)
{
    if (json_type(j) != JSON_OBJECT)
        return "the receipt is no object";
    if (!r->serial_no)
        return "the receipt has no readable sid";
    if (!r->phone)
        return "the receipt has no phone number in nationcode and mobile";
    if (!r->status)
        return "the receipt's report_status is neither SUCCESS nor FAIL";
    return NULL;
}

/* A copy of a text that may be missing; false: no memory. */
static bool keep(struct arena *a, const char *text, size_t len, const char **out)
{
    *out = text ? arena_strndup(a, text, len) : NULL;
    return !text || *out;
}

/* False: no memory. */
static bool read_receipt(struct arena *a, const struct json *j, struct receipt *r)
{
    const char *serial_no = read_text(j, "sid", RECEIPT_TEXT_SET, RECEIPT_SERIAL_MAX);
    const char *code = read_text(j, "errmsg", RECEIPT_TEXT_SET, RECEIPT_CODE_MAX);
    const char *description = json_get_text(j, "description");
    const char *status = json_get_text(j, "report_status");
    char phone[PHONE_MAX + 1];
    bool has_phone = read_phone(j, phone);

    r->user_received_us = read_time(j);
    if (status && strcmp(status, "SUCCESS") == 0)
        r->status = "SUCCESS";
    else if (status && strcmp(status, "FAIL") == 0)
        r->status = "FAIL";
    if (description && !description[0])
        description = NULL;
    if (!keep(a, serial_no, serial_no ? strlen(serial_no) : 0, &r->serial_no) ||
        !keep(a, code, code ? strlen(code) : 0, &r->code) ||
        !keep(a, has_phone ? phone : NULL, strlen(phone), &r->phone) ||
        !keep(a, description,
              description ? text_utf8_cut(description, strlen(description), RECEIPT_DESCRIPTION_MAX)
                          : 0,
              &r->description))
        return false;
    r->fault = fault_of(j, r);
    return true;
}

/* The end of the value that begins at p, in well-formed JSON: before its ',' or ']'. */
static const char *value_end(const char *p)
{
    unsigned depth = 0;

    for (;; p++) {
        if (*p == '"') {
            for (p++; *p != '"'; p++)
                p += *p == '\\';
        } else if (*p == '[' || *p == '{') {
            depth++;
        } else if (depth == 0 && (*p == ',' || *p == ']')) {
            return p;
        } else if (*p == ']' || *p == '}') {
            depth--;
        }
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The bytes of each of the n > 0 values of the array that body is. */
static void find_raw(const char *body, struct receipt *receipts, size_t n)
{
    const char *p = strchr(body, '[') + 1;

    for (size_t i = 0; i < n; i++) {
        while (is_blank(*p))
            p++;
        const char *end = value_end(p);
        const char *next = end + 1;
        while (is_blank(end[-1]))
            end--;
        receipts[i].raw = p;
        receipts[i].raw_len = (size_t)(end - p);
        p = next;
    }
}

/* NULL and the receipts; else why the body is none. *no_memory outdoes both. */
static const char *read_array(const struct json *root, const char *body, struct arena *arena,
                              struct callback *out, bool *no_memory)
{
    size_t n = json_length(root);

    if (json_type(root) != JSON_ARRAY)
        return "the body is no array";
    if (n == 0)
        return "the array is empty";
    if (n > CALLBACK_RECEIPTS_MAX)
        return "the array has too many receipts";
    out->receipts = arena_alloc(arena, n * sizeof out->receipts[0]);
    *no_memory = !out->receipts;
    for (size_t i = 0; !*no_memory && i < n; i++)
        *no_memory = !read_receipt(arena, json_at(root, i), &out->receipts[i]);
    if (*no_memory)
        return NULL;
    out->n = n;
    find_raw(body, out->receipts, n);
    return NULL;
}

/* The whole body in quarantine. */
static bool keep_body(const char *body, size_t len, const char *fault, struct arena *arena,
                      struct callback *out)
{
    struct receipt *r = arena_alloc(arena, sizeof *r);

    if (!r || !keep(arena, fault, strlen(fault), &r->fault))
        return false;
    r->raw = body;
    r->raw_len = len;
    *out = (struct callback){.n = 1, .receipts = r};
    return true;
}

bool callback_read(const char *body, size_t len, struct arena *arena, struct callback *out)
{
    const struct json_limits limits = {.max_depth = DEPTH_MAX};
    struct err e = {0};
    bool no_memory = false;
    const char *copy = arena_strndup(arena, body, len);

    if (!copy)
        return false;
    if (len == 0)
        return keep_body(copy, len, "the body is empty", arena, out);
    struct json *root = json_parse(copy, len, &limits, &e);
    if (!root)
        return e.class == ERR_PERM && keep_body(copy, len, e.text, arena, out);
    const char *fault = read_array(root, copy, arena, out, &no_memory);
    json_free(root);
    if (no_memory)
        return false;
    return fault ? keep_body(copy, len, fault, arena, out) : true;
}

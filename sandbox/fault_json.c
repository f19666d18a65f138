/* Reads and writes faults as JSON (sandbox/fault.h); what cannot be understood gets one sentence.
 */
#include <string.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/text.h"
#include "sandbox/fault.h"
#include "sandbox/json_in.h"
#include "sandbox/json_out.h"

#define LETTERS_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static const char *const fault_members[] = {"match", "times", "do", NULL};
static const char *const match_members[] = {"action", "phone", "probability", "every", NULL};
static const char *const do_members[] = {"code",     "envelope", "delay_ms", "drop",
                                         "truncate", "body",     "status",   "hang",
                                         "rate",     "accept",   NULL};

static int get_code(const struct json *obj, const char *key, char out[FAULT_CODE_SIZE],
                    struct err *e)
{
    const char *s = json_get_text(obj, key);
    if (!s || strlen(s) >= FAULT_CODE_SIZE || !text_all_in(s, strlen(s), LETTERS_DIGITS "."))
        return err_set(e, ERR_PERM, 0,
                       "\"%s\" must be one of Tencent's codes, as in LimitExceeded.DailyLimit",
                       key);
    memcpy(out, s, strlen(s) + 1);
    return 0;
}

static int parse_match(struct fault *f, const struct json *match, struct err *e)
{
    if (!match)
        return 0;
    if (json_in_check(match, "\"match\"", match_members, e) < 0)
        return -1;
    if (json_has(match, "action")) {
        const char *action = json_get_text(match, "action");
        if (!action || strlen(action) >= FAULT_ACTION_SIZE ||
            !text_all_in(action, strlen(action), LETTERS_DIGITS))
            return err_set(e, ERR_PERM, 0, "\"action\" must be an action's name, as in SendSms");
        memcpy(f->action, action, strlen(action) + 1);
    }
    if (json_has(match, "phone")) {
        const char *phone = json_get_text(match, "phone");
        struct number number;
        if (!phone || !number_from_text(phone, &number))
            return err_set(e, ERR_PERM, 0, "\"phone\" must be a number, as in +8613800138000");
        memcpy(f->phone, number.e164, sizeof f->phone);
    }
    if (json_has(match, "probability")) {
        const struct json *p = json_get(match, "probability");
        bool is_number = json_type(p) == JSON_INT || json_type(p) == JSON_DOUBLE;
        f->probability = is_number ? json_double(p) : -1;
        if (!(f->probability >= 0 && f->probability <= 1))
            return err_set(e, ERR_PERM, 0, "\"probability\" must be a number from 0 to 1");
    }
    return json_in_int(match, "every", 1, INT64_C(1000000000), &f->every, e);
}

static int parse_drop(struct fault *f, const struct json *what, struct err *e)
{
    const char *when = json_get_text(what, "drop");
    if (!when || (strcmp(when, "before") != 0 && strcmp(when, "after") != 0))
        return err_set(e, ERR_PERM, 0, "\"drop\" must be \"before\" or \"after\"");
    f->drop_after = strcmp(when, "after") == 0;
    return 0;
}

static int parse_reply(struct fault *f, const struct json *what, struct err *e)
{
    if (json_has(what, "body")) {
        const char *body = json_get_text(what, "body");
        if (!body)
            return err_set(e, ERR_PERM, 0, "\"body\" must be a string");
        f->body = mem_must_strdup(body);
    }
    return json_in_int(what, "status", 200, 599, &f->status, e);
}

static int parse_hang(const struct json *what, struct err *e)
{
    const struct json *hang = json_get(what, "hang");
    if (json_type(hang) != JSON_BOOL || !json_bool(hang))
        return err_set(e, ERR_PERM, 0, "\"hang\" must be true");
    return 0;
}

/* Which kind "do" asks for; body and status go together, delay_ms with any other. */
static int find_kind(const struct json *what, enum fault_kind *kind, struct err *e)
{
    static const struct {
        const char *key;
        enum fault_kind kind;
    } kinds[] = {
        {"code",     FAULT_CODE    },
        {"envelope", FAULT_ENVELOPE},
        {"drop",     FAULT_DROP    },
        {"truncate", FAULT_TRUNCATE},
        {"body",     FAULT_REPLY   },
        {"status",   FAULT_REPLY   },
        {"hang",     FAULT_HANG    },
        {"rate",     FAULT_RATE    },
    };
    *kind = FAULT_DELAY;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (!json_has(what, kinds[i].key) || *kind == kinds[i].kind)
            continue;
        if (*kind != FAULT_DELAY)
            return err_set(e, ERR_PERM, 0,
                           "\"do\" may ask for one kind of fault only (and "
                           "\"delay_ms\" with it)");
        *kind = kinds[i].kind;
    }
    if (*kind == FAULT_DELAY && !json_has(what, "delay_ms"))
        return err_set(e, ERR_PERM, 0,
                       "\"do\" must have one of code, envelope, delay_ms, drop, truncate, body, "
                       "status, hang, rate");
    return 0;
}

static int parse_kind(struct fault *f, const struct json *what, struct err *e)
{
    switch (f->kind) {
    case FAULT_DELAY:
        return 0;
    case FAULT_CODE:
        return get_code(what, "code", f->code, e);
    case FAULT_ENVELOPE:
        return get_code(what, "envelope", f->code, e);
    case FAULT_DROP:
        return parse_drop(f, what, e);
    case FAULT_TRUNCATE:
        return json_in_int(what, "truncate", 0, INT64_C(1000000), &f->truncate, e);
    case FAULT_REPLY:
        return parse_reply(f, what, e);
    case FAULT_HANG:
        return parse_hang(what, e);
    case FAULT_RATE:
        return json_in_int(what, "rate", 0, INT64_C(1000000000), &f->rate, e);
    }
    return 0;
}

static int parse_do(struct fault *f, const struct json *what, struct err *e)
{
    int64_t delay_ms = 0;
    if (json_in_check(what, "\"do\"", do_members, e) < 0 || find_kind(what, &f->kind, e) < 0 ||
        json_in_int(what, "delay_ms", 0, FAULT_DELAY_MAX_MS, &delay_ms, e) < 0 ||
        parse_kind(f, what, e) < 0)
        return -1;
    f->delay_us = delay_ms * US_PER_MS;
    f->accept = f->kind == FAULT_DELAY || f->kind == FAULT_TRUNCATE ||
                (f->kind == FAULT_DROP && f->drop_after);
    if (json_has(what, "accept")) {
        if (json_type(json_get(what, "accept")) != JSON_BOOL)
            return err_set(e, ERR_PERM, 0, "\"accept\" must be true or false");
        f->accept = json_bool(json_get(what, "accept"));
    }
    return 0;
}

struct fault *fault_parse(const char *json, size_t len, struct err *e)
{
    struct json *top = json_parse(json, len, &(struct json_limits){.max_depth = 8}, e);
    if (!top)
        return NULL;
    struct fault *f = mem_must_alloc(sizeof *f);
    f->probability = 1;
    f->every = 1;
    if (json_in_check(top, "a fault", fault_members, e) < 0 ||
        json_in_int(top, "times", 1, INT64_C(1000000000), &f->times, e) < 0 ||
        parse_match(f, json_get(top, "match"), e) < 0 || parse_do(f, json_get(top, "do"), e) < 0) {
        fault_free(f);
        f = NULL;
    }
    json_free(top);
    return f;
}

static void add_kind(const struct fault *f, struct buf *out)
{
    switch (f->kind) {
    case FAULT_DELAY:
        return;
    case FAULT_CODE:
        json_out_member(out, "code", f->code);
        break;
    case FAULT_ENVELOPE:
        json_out_member(out, "envelope", f->code);
        break;
    case FAULT_DROP:
        json_out_member(out, "drop", f->drop_after ? "after" : "before");
        break;
    case FAULT_TRUNCATE:
        json_out_int(out, "truncate", f->truncate);
        break;
    case FAULT_REPLY:
        json_out_int(out, "status", f->status ? f->status : 200);
        if (f->body) {
            buf_add_char(out, ',');
            json_out_member(out, "body", f->body);
        }
        break;
    case FAULT_HANG:
        buf_add_text(out, "\"hang\":true");
        break;
    case FAULT_RATE:
        json_out_int(out, "rate", f->rate);
        break;
    }
    buf_add_char(out, ',');
}

void fault_add_json(const struct fault *f, struct buf *out)
{
    buf_add_char(out, '{');
    json_out_int(out, "id", f->id);
    buf_add_text(out, ",\"match\":{");
    if (f->action[0]) {
        json_out_member(out, "action", f->action);
        buf_add_char(out, ',');
    }
    if (f->phone[0]) {
        json_out_member(out, "phone", f->phone);
        buf_add_char(out, ',');
    }
    buf_add_fmt(out, "\"probability\":%.17g,", f->probability);
    json_out_int(out, "every", f->every);
    buf_add_text(out, "},");
    if (f->times > 0) {
        json_out_int(out, "times", f->times);
        buf_add_char(out, ',');
    }
    buf_add_text(out, "\"do\":{");
    add_kind(f, out);
    if (f->delay_us > 0) {
        json_out_int(out, "delay_ms", f->delay_us / US_PER_MS);
        buf_add_char(out, ',');
    }
    buf_add_text(out, f->accept ? "\"accept\":true}," : "\"accept\":false},");
    json_out_int(out, "used", f->used);
    buf_add_char(out, '}');
}

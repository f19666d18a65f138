/* Strict reading of Tencent's answers; texts from outside pass only as patterns we know. */
#include "worker/tencent/answer.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/json.h"
#include "common/text.h"
#include "worker/ports/sender.h"

#define ALPHANUMERIC "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define CODE_CHARACTERS ALPHANUMERIC "._"
#define ID_CHARACTERS ALPHANUMERIC "._:-"
#define SERIAL_CHARACTERS ID_CHARACTERS "+/=@#,;|~*"

static const struct json_limits answer_limits = {.max_depth = 8, .unique_top_keys = true};

/*
 * The text member of obj into out when it is 1 … size-1 bytes of `set`; else false, and out is "".
 */
static bool read_text(const struct json *obj, const char *key, const char *set, char *out,
                      size_t size)
{
    size_t len = 0;
    const char *s = json_string(json_get(obj, key), &len);

    out[0] = '\0';
    if (!s || len == 0 || len >= size || !text_all_in(s, len, set))
        return false;
    memcpy(out, s, len);
    out[len] = '\0';
    return true;
}

/* Parses the envelope. NULL and why when there is none; the caller frees *root in either case. */
static const struct json *read_envelope(const char *body, size_t len, struct json **root,
                                        char why[160])
{
    struct err e = {0};
    const struct json *response;

    *root = json_parse(body, len, &answer_limits, &e);
    if (!*root) {
        snprintf(why, 160, "the answer is not JSON: %.120s", e.text);
        return NULL;
    }
    response = json_get(*root, "Response");
    if (json_type(response) != JSON_OBJECT) {
        snprintf(why, 160, "the answer has no Response");
        return NULL;
    }
    return response;
}

/* True when there is an Error; then its code, or "" when it is none that can be read. */
static bool read_error(const struct json *response, char code[96])
{
    code[0] = '\0';
    if (!json_has(response, "Error"))
        return false;
    (void)read_text(json_get(response, "Error"), "Code", CODE_CHARACTERS, code, 96);
    return true;
}

/* NULL, or why this status says nothing about our number. */
static const char *read_status(const struct json *status, const char *phone, struct send_result *r)
{
    const char *number = json_get_text(status, "PhoneNumber");
    const struct json *serial = json_get(status, "SerialNo");
    size_t serial_len = 0;
    int64_t fee = 0;

    if (!number || strcmp(number, phone) != 0)
        return "the answer is about another number";
    if (!read_text(status, "Code", CODE_CHARACTERS, r->code, sizeof(r->code)))
        return "the answer has no readable Code for the number";
    if (json_has(status, "Fee") &&
        (!json_int(json_get(status, "Fee"), &fee) || fee < 0 || fee > INT32_MAX))
        return "the answer's Fee is no number";
    r->accepted = strcmp(r->code, "Ok") == 0;
    if (r->accepted) {
        if (!read_text(status, "SerialNo", SERIAL_CHARACTERS, r->serial_no, sizeof(r->serial_no)))
            return "the answer says Ok without a readable SerialNo";
        r->fee = (int32_t)fee;
        return NULL;
    }
    if (json_has(status, "SerialNo") && (!json_string(serial, &serial_len) || serial_len > 0))
        return "the answer refuses the number but gives a SerialNo";
    return NULL;
}

static const char *read_response(const struct json *response, const char *phone,
                                 struct send_result *r)
{
    const struct json *set = json_get(response, "SendStatusSet");

    (void)read_text(response, "RequestId", ID_CHARACTERS, r->request_id, sizeof(r->request_id));
    if (read_error(response, r->code)) {
        if (json_has(response, "SendStatusSet"))
            return "the answer has an Error and a SendStatusSet";
        r->top_level = true;
        return r->code[0] ? NULL : "the answer's Error has no readable Code";
    }
    if (json_type(set) != JSON_ARRAY)
        return "the answer has no SendStatusSet";
    if (json_length(set) != 1)
        return "the answer's SendStatusSet is not about one number";
    return read_status(json_at(set, 0), phone, r);
}

void answer_read_send(const char *body, size_t len, const char *phone, struct send_result *r)
{
    struct json *root = NULL;
    const struct json *response = read_envelope(body, len, &root, r->why);
    const char *fault = response ? read_response(response, phone, r) : r->why;

    r->transport = SEND_ANSWERED;
    if (fault) {
        /* Nothing of it is trusted, but its id helps whoever asks the provider. */
        r->transport = SEND_NO_ANSWER;
        r->accepted = r->top_level = false;
        r->code[0] = r->serial_no[0] = '\0';
        r->fee = 0;
        if (fault != r->why)
            snprintf(r->why, sizeof(r->why), "%s", fault);
    }
    json_free(root);
}

bool answer_read_query(const char *body, size_t len, char code[96], char why[160])
{
    struct json *root = NULL;
    const struct json *response = read_envelope(body, len, &root, why);
    bool is_answer = false;

    code[0] = '\0';
    if (response) {
        is_answer = read_error(response, code)
                        ? code[0] != '\0'
                        : json_type(json_get(response, "PhoneNumberInfoSet")) == JSON_ARRAY;
        if (!is_answer)
            snprintf(why, 160, "the answer has neither a readable Error nor what was asked");
    }
    json_free(root);
    return is_answer;
}

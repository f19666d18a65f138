/* Strict reading of what SendSms and DescribePhoneNumberInfo answer. */
#include "worker/tencent/answer.h"

#include <stdio.h>
#include <string.h>

#include "common/domain/receipt.h"
#include "common/json.h"
#include "worker/ports/sender.h"
#include "worker/tencent/envelope.h"

/* NULL, or why this status says nothing about our number. */
static const char *read_status(const struct json *status, const char *phone, struct send_result *r)
{
    const char *number = json_get_text(status, "PhoneNumber");
    const struct json *serial = json_get(status, "SerialNo");
    size_t serial_len = 0;
    int64_t fee = 0;

    if (!number || strcmp(number, phone) != 0)
        return "the answer is about another number";
    if (!envelope_text(status, "Code", ENVELOPE_CODE, r->code, sizeof(r->code)))
        return "the answer has no readable Code for the number";
    if (json_has(status, "Fee") &&
        (!json_int(json_get(status, "Fee"), &fee) || fee < 0 || fee > INT32_MAX))
        return "the answer's Fee is no number";
    r->accepted = strcmp(r->code, "Ok") == 0;
    if (r->accepted) {
        if (!envelope_text(status, "SerialNo", RECEIPT_TEXT_SET, r->serial_no,
                           sizeof(r->serial_no)))
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

    (void)envelope_text(response, "RequestId", ENVELOPE_ID, r->request_id, sizeof(r->request_id));
    if (envelope_error(response, r->code)) {
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
    const struct json *response = envelope_open(body, len, &root, r->why);
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
    const struct json *response = envelope_open(body, len, &root, why);
    bool is_answer = false;

    code[0] = '\0';
    if (response) {
        is_answer = envelope_error(response, code)
                        ? code[0] != '\0'
                        : json_type(json_get(response, "PhoneNumberInfoSet")) == JSON_ARRAY;
        if (!is_answer)
            snprintf(why, 160, "the answer has neither a readable Error nor what was asked");
    }
    json_free(root);
    return is_answer;
}

/* A list of receipts, member by member. */
#include "worker/tencent/receipts_page.h"

#include <stdio.h>
#include <string.h>

#include "common/domain/phone.h"
#include "common/domain/receipt.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/text.h"
#include "worker/tencent/envelope.h"

#define TIME_LAST_S INT64_C(4102444800) /* 2100 */

static const char *keep(struct arena *a, const char *text, size_t len)
{
    const char *kept = arena_strndup(a, text, len);
    if (!kept)
        panic("out of memory for receipts that the provider will not give again");
    return kept;
}

/* A member that is 1 … max bytes of `set`; else NULL. */
static const char *read_text(struct arena *a, const struct json *j, const char *key,
                             const char *set, size_t max)
{
    const char *text = json_get_text(j, key);
    size_t len = text ? strlen(text) : 0;

    return len > 0 && len <= max && text_all_in(text, len, set) ? keep(a, text, len) : NULL;
}

static const char *read_description(struct arena *a, const struct json *j)
{
    const char *text = json_get_text(j, "Description");

    return text && text[0]
               ? keep(a, text, text_utf8_cut(text, strlen(text), RECEIPT_DESCRIPTION_MAX))
               : NULL;
}

/* PhoneNumber is E.164 by the documents; their examples have it without its country, too. */
static const char *read_phone(struct arena *a, const struct json *j)
{
    const char *whole = json_get_text(j, "PhoneNumber");
    const char *country = json_get_text(j, "CountryCode");
    const char *rest = json_get_text(j, "SubscriberNumber");
    char made[PHONE_MAX + 1];

    if (whole && phone_is_valid(whole, strlen(whole)))
        return keep(a, whole, strlen(whole));
    if (!country || !rest || !phone_join(country, rest, made))
        return NULL;
    return keep(a, made, strlen(made));
}

static int64_t read_time(const struct json *j)
{
    int64_t s = 0;

    if (!json_int(json_get(j, "UserReceiveTime"), &s) || s <= 0 || s > TIME_LAST_S)
        return 0;
    return s * US_PER_S;
}

static const char *fault_of(const struct json *j, const struct receipt *r)
{
    if (json_type(j) != JSON_OBJECT)
        return "the receipt is no object";
    if (!r->serial_no)
        return "the receipt has no readable SerialNo";
    if (!r->phone)
        return "the receipt has no phone number in E.164";
    if (!r->status)
        return "the receipt's ReportStatus is neither SUCCESS nor FAIL";
    return NULL;
}

static void read_receipt(struct arena *a, const struct json *j, struct receipt *r)
{
    size_t len = 0;
    const char *raw = json_text(j, &len);
    const char *status = json_get_text(j, "ReportStatus");

    *r = (struct receipt){
        .serial_no = read_text(a, j, "SerialNo", RECEIPT_TEXT_SET, RECEIPT_SERIAL_MAX),
        .phone = read_phone(a, j),
        /* Here it is the carrier's code that they call a description. */
        .code = read_text(a, j, "Description", RECEIPT_TEXT_SET, RECEIPT_CODE_MAX),
        .description = read_description(a, j),
        .user_received_us = read_time(j),
        .raw = keep(a, raw, len),
    };
    if (status && (strcmp(status, "SUCCESS") == 0 || strcmp(status, "FAIL") == 0))
        r->status = keep(a, status, strlen(status));
    r->fault = fault_of(j, r);
}

/* The body as a text: what is no UTF-8, or NUL, is replaced. */
static void keep_body(struct arena *a, const char *body, size_t len, const char *fault,
                      struct receipts_page *page)
{
    char *raw = arena_strndup(a, body, len);

    if (!raw)
        panic("out of memory for receipts that the provider will not give again");
    if (text_has_nul(raw, len) || !text_is_utf8(raw, len)) {
        for (size_t i = 0; i < len; i++)
            if (raw[i] == '\0' || (unsigned char)raw[i] > '~')
                raw[i] = '?';
    }
    page->n = 1;
    page->receipts[0] = (struct receipt){.raw = raw, .fault = keep(a, fault, strlen(fault))};
}

static const char *read_response(const struct json *response, struct arena *arena,
                                 struct receipts_page *page, char code[96])
{
    const struct json *set = json_get(response, "PullSmsSendStatusSet");
    size_t n = json_length(set);

    if (envelope_error(response, code)) {
        if (!code[0])
            return "the answer's Error has no readable Code";
        if (n == 0)
            return "the provider refused the query";
        code[0] = '\0';
        return "the answer has an Error and receipts";
    }
    if (json_type(set) != JSON_ARRAY)
        return "the answer has no PullSmsSendStatusSet";
    if (n > RECEIPTS_PAGE_MAX)
        return "the answer has more receipts than were asked for";
    for (size_t i = 0; i < n; i++)
        read_receipt(arena, json_at(set, i), &page->receipts[i]);
    page->n = n;
    return NULL;
}

const char *receipts_page_read(const char *body, size_t len, struct arena *arena,
                               struct receipts_page *page, char code[96], char why[160])
{
    struct json *root = NULL;
    const struct json *response = envelope_open(body, len, &root, why);
    const char *fault = why;

    code[0] = '\0';
    page->n = 0;
    if (response)
        fault = read_response(response, arena, page, code);
    json_free(root);
    if (fault && !code[0] && len > 0)
        keep_body(arena, body, len, fault, page);
    return fault;
}

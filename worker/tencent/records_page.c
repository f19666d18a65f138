/* A page of send records, member by member. */
#include "worker/tencent/records_page.h"

#include <string.h>

#include "common/domain/receipt.h"
#include "common/json.h"
#include "worker/tencent/envelope.h"

enum send_status { SUBMIT_FAILED = 1, DELIVERED = 2, IN_FLIGHT = 3, NOT_DELIVERED = 4 };

/* NULL, or why this record cannot be what was asked for. */
static const char *read_record(const struct json *j, const struct records_scope *scope,
                               struct page_record *r)
{
    const char *phone = json_get_text(j, "PhoneNumber");
    int64_t status = 0;
    bool has_serial;

    if (!phone || strcmp(phone, scope->phone) != 0)
        return "a record is of another number";
    if (!json_int(json_get(j, "SendStatus"), &status) || status < SUBMIT_FAILED ||
        status > NOT_DELIVERED)
        return "a record has an unknown SendStatus";
    r->accepted = status != SUBMIT_FAILED;
    if (!json_int(json_get(j, "SendTime"), &r->sent_s) || r->sent_s < scope->oldest_s ||
        r->sent_s > scope->newest_s)
        return "a record has no SendTime, or one outside of the time asked for";
    has_serial = envelope_text(j, "SerialNo", RECEIPT_TEXT_SET, r->serial_no, sizeof(r->serial_no));
    if (!has_serial && r->accepted)
        return "a record of an accepted message has no readable SerialNo";
    (void)envelope_text(j, "RequestCode", ENVELOPE_CODE, r->code, sizeof(r->code));
    return NULL;
}

static const char *read_records(const struct json *set, const struct records_scope *scope,
                                struct records_page *out)
{
    const char *fault = NULL;

    out->listed = json_length(set);
    if (out->listed > RECORDS_PAGE_MAX)
        return "a page has more records than were asked for";
    for (size_t i = 0; i < out->listed; i++) {
        struct page_record *r = &out->records[out->n];
        const char *odd = read_record(json_at(set, i), scope, r);

        if (odd) {
            fault = odd;
            continue;
        }
        out->n++;
        if (!r->accepted && r->code[0] == '\0')
            fault = "a record of a refused message has no readable RequestCode";
    }
    return fault;
}

static const char *read_response(const struct json *response, const struct records_scope *scope,
                                 struct records_page *out, char code[96])
{
    const struct json *set = json_get(response, "SendRecordSet");
    const char *fault;

    if (envelope_error(response, code)) {
        if (!code[0])
            return "the answer's Error has no readable Code";
        return "the provider refused the query";
    }
    if (json_type(set) != JSON_ARRAY)
        return "the answer has no SendRecordSet";
    fault = read_records(set, scope, out);
    if (json_has(response, "TotalCount") &&
        (!json_int(json_get(response, "TotalCount"), &out->total) || out->total < 0)) {
        out->total = -1;
        return "the answer's TotalCount is no count";
    }
    return fault;
}

const char *records_page_read(const char *body, size_t len, const struct records_scope *scope,
                              struct records_page *out, char code[96], char why[160])
{
    struct json *root = NULL;
    const struct json *response = envelope_open(body, len, &root, why);
    const char *fault = why;

    code[0] = '\0';
    out->listed = out->n = 0;
    out->total = -1;
    if (response)
        fault = read_response(response, scope, out, code);
    json_free(root);
    return fault;
}

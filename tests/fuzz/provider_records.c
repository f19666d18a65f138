/* Any bytes as a page of send records: what is taken from them is of our number, time and kinds. */
#include <stdlib.h>

#include "tests/fuzz/check_text.h"
#include "worker/tencent/records_page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_record(const struct page_record *r, const struct records_scope *scope)
{
    if (!is_printable(r->serial_no) || !is_printable(r->code))
        abort();
    if (r->sent_s < scope->oldest_s || r->sent_s > scope->newest_s)
        abort();
    if (r->accepted && !r->serial_no[0])
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct records_scope scope = {"+8613800138000", 1700000000, 1700000100};
    struct records_page page;
    char code[96], why[160] = "";
    const char *fault = records_page_read((const char *)data, size, &scope, &page, code, why);

    if (fault ? !fault[0] || !is_printable(fault) : page.n != page.listed || code[0])
        abort();
    if (!is_printable(code) || page.n > RECORDS_PAGE_MAX || page.n > page.listed || page.total < -1)
        abort();
    for (size_t i = 0; i < page.n; i++)
        check_record(&page.records[i], &scope);
    return 0;
}

/* Any bytes as a page of receipts: what is taken from them is printable where it must be, and what
 * is not understood is kept. */
#include <stdlib.h>

#include "common/mem.h"
#include "tests/fuzz/check_receipt.h"
#include "worker/tencent/receipts_page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_page_receipt(const struct receipt *r)
{
    check_receipt(r);
    check_text(r->raw, SIZE_MAX);
    if (r->fault && !is_printable(r->fault))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct receipts_page page;
    struct arena *arena = arena_new(256);
    char code[96], why[160] = "";
    const char *fault;

    if (!arena)
        abort();
    fault = receipts_page_read((const char *)data, size, arena, &page, code, why);
    if (fault && page.n != (code[0] || size == 0 ? 0 : 1))
        abort();
    if ((fault && (!fault[0] || !is_printable(fault))) || !is_printable(code) ||
        page.n > RECEIPTS_PAGE_MAX)
        abort();
    for (size_t i = 0; i < page.n; i++)
        check_page_receipt(&page.receipts[i]);
    arena_free(arena);
    return 0;
}

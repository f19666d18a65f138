/* Any bytes as a page of receipts: what is taken from them is printable where it must be, and what
 * is not understood is kept. */
#include <stdlib.h>
#include <string.h>

#include "common/domain/phone.h"
#include "common/mem.h"
#include "common/text.h"
#include "worker/tencent/receipts_page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_printable(const char *s)
{
    for (; *s; s++)
        if (*s < ' ' || *s > '~')
            return false;
    return true;
}

static void check_text(const char *s, size_t max)
{
    if (s && (!s[0] || strlen(s) > max || !text_is_utf8(s, strlen(s))))
        abort();
}

static void check_receipt(const struct receipt *r)
{
    check_text(r->serial_no, 64);
    check_text(r->code, 64);
    check_text(r->description, 500);
    check_text(r->raw, SIZE_MAX);
    if ((r->serial_no && !is_printable(r->serial_no)) || (r->code && !is_printable(r->code)))
        abort();
    if (r->phone && !phone_is_valid(r->phone, strlen(r->phone)))
        abort();
    if (!r->raw || r->user_received_us < 0 || (r->fault && !is_printable(r->fault)))
        abort();
    if (!r->fault && (!r->serial_no || !r->phone || !r->status))
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
        check_receipt(&page.receipts[i]);
    arena_free(arena);
    return 0;
}

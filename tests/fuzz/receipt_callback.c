/* Any bytes as a callback: nothing is lost of them, and what is taken can be stored. */
#include <stdlib.h>
#include <string.h>

#include "common/domain/phone.h"
#include "common/domain/receipt.h"
#include "common/mem.h"
#include "common/text.h"
#include "receiver/callback.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
    check_text(r->fault, 500);
    if (r->phone && !phone_is_valid(r->phone, strlen(r->phone)))
        abort();
    if (r->status && strcmp(r->status, "SUCCESS") != 0 && strcmp(r->status, "FAIL") != 0)
        abort();
    if (r->user_received_us < 0 || (!r->fault && (!r->serial_no || !r->phone || !r->status)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct callback c = {0};
    struct arena *arena = arena_new(256);
    const char *body = (const char *)data;
    size_t met = 0;

    if (!arena || !callback_read(body, size, arena, &c) || c.n < 1 || c.n > CALLBACK_RECEIPTS_MAX)
        abort();
    for (size_t i = 0; i < c.n; i++) {
        const struct receipt *r = &c.receipts[i];
        check_receipt(r);
        /* The pieces are the input's, one behind the other. */
        const char *found = r->raw_len ? memmem(body + met, size - met, r->raw, r->raw_len) : body;
        if (!found || (r->raw_len == 0 && size > 0))
            abort();
        met = (size_t)(found - body) + r->raw_len;
    }
    arena_free(arena);
    return 0;
}

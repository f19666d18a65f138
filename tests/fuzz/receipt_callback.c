/* Any bytes as a callback: nothing is lost of them, and what is taken can be stored. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "receiver/callback.h"
#include "tests/fuzz/check_receipt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

/*
 * Reads the answer of PullSmsSendStatus and of PullSmsSendStatusByPhoneNumber (bytes from outside:
 * pure, bounded, fuzzed). What the queue gave away it does not give again, so nothing in it is
 * dropped: what cannot be understood is a receipt with a fault, the whole body if need be.
 */
#ifndef SENDCODE_WORKER_TENCENT_RECEIPTS_PAGE_H
#define SENDCODE_WORKER_TENCENT_RECEIPTS_PAGE_H

#include "common/base.h"
#include "worker/ports/receipts.h"

#define RECEIPTS_PAGE_MAX_BYTES (1 << 20)

struct arena;

struct receipts_page {
    size_t n;
    struct receipt receipts[RECEIPTS_PAGE_MAX];
};

/*
 * The body of an answer with HTTP status 200. NULL: a list. Else one sentence, which may lie in
 * why: either the provider refused (code is its code, and there is nothing to keep), or it is no
 * answer that we know, and page holds the body as it is. Texts live in the arena.
 */
const char *receipts_page_read(const char *body, size_t len, struct arena *arena,
                               struct receipts_page *page, char code[96], char why[160]);

#endif

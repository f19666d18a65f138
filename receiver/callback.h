/*
 * Reads Tencent's status callback: a JSON array of receipts (bytes from outside: pure, bounded,
 * fuzzed). Nothing in it is dropped: what cannot be understood is a receipt with a fault, the whole
 * body if need be.
 */
#ifndef SENDCODE_RECEIVER_CALLBACK_H
#define SENDCODE_RECEIVER_CALLBACK_H

#include "common/base.h"

#define CALLBACK_RECEIPTS_MAX 1000 /* Tencent sends 100 at most */

struct arena;
struct receipt;

struct callback {
    size_t n;                 /* at least 1 */
    struct receipt *receipts; /* texts without NUL; raw: the very bytes */
};

/* What *out points to lives in the arena, a copy of the body included. False: no memory. */
NODISCARD bool callback_read(const char *body, size_t len, struct arena *arena,
                             struct callback *out);

#endif

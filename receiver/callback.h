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

/* Texts are UTF-8 without NUL; NULL when it does not say it, or not in a form that we know. */
struct callback_receipt {
    const char *serial_no;
    const char *phone;  /* E.164 */
    const char *status; /* SUCCESS or FAIL */
    const char *code;   /* the carrier's */
    const char *description;
    int64_t user_received_us; /* Unix microseconds; 0: not said */
    const char *raw;          /* the very bytes; NULL only when raw_len is 0 */
    size_t raw_len;
    const char *fault; /* why it cannot be understood: for quarantine; NULL: it can */
};

struct callback {
    size_t n; /* at least 1 */
    struct callback_receipt *receipts;
};

/* What *out points to lives in the arena, a copy of the body included. False: no memory. */
NODISCARD bool callback_read(const char *body, size_t len, struct arena *arena,
                             struct callback *out);

#endif

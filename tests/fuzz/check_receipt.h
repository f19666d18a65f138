/* What holds for a receipt that is read from any bytes, whichever way it came. */
#ifndef SENDCODE_TESTS_FUZZ_CHECK_RECEIPT_H
#define SENDCODE_TESTS_FUZZ_CHECK_RECEIPT_H

#include "common/domain/phone.h"
#include "common/domain/receipt.h"
#include "tests/fuzz/check_text.h"

static inline void check_receipt(const struct receipt *r)
{
    check_text(r->serial_no, 64);
    check_text(r->code, 64);
    check_text(r->description, 500);
    check_text(r->fault, 500);
    if ((r->serial_no && !is_printable(r->serial_no)) || (r->code && !is_printable(r->code)))
        abort();
    if (r->phone && !phone_is_valid(r->phone, strlen(r->phone)))
        abort();
    if (r->status && strcmp(r->status, "SUCCESS") != 0 && strcmp(r->status, "FAIL") != 0)
        abort();
    if (!r->raw || r->user_received_us < 0)
        abort();
    if (!r->fault && (!r->serial_no || !r->phone || !r->status))
        abort();
}

#endif

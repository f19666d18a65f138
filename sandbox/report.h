/* Puts receipts into callbacks, as many in each as was asked for, as Tencent words them. */
#ifndef SENDCODE_SANDBOX_REPORT_H
#define SENDCODE_SANDBOX_REPORT_H

#include "common/buf.h"
#include "sandbox/callbacks.h"

#define REPORT_BATCH_MAX 100

struct message;
struct number;

/* A carrier's verdict for receipts. */
struct verdict {
    bool failed;
    const char *code;        /* NULL: the usual one */
    const char *description; /* NULL: the usual one */
};

struct report {
    struct callbacks *callbacks;
    struct callback_spec spec;
    size_t batch;  /* receipts a callback */
    int64_t times; /* that each callback is sent */
    struct buf body;
    size_t n; /* in body */
};

/* About a number of E.164 and any SerialNo; at_us: Unix time at which the user received it. */
void report_add(struct report *r, const struct number *number, const char *serial_no,
                const struct verdict *verdict, int64_t at_us);
/* verdict NULL: what the carrier says of it anyway, or said first. */
void report_add_message(struct report *r, struct message *m, const struct verdict *verdict,
                        int64_t now_us);
void report_end(struct report *r); /* sends what is in body still, and frees it */

#endif

/*
 * --receipts: each message that is accepted from now on gets its receipt by itself,
 * options.receipts_after_s later, unless POST /receipts reported it before.
 */
#ifndef SENDCODE_SANDBOX_REPORTER_H
#define SENDCODE_SANDBOX_REPORTER_H

#include "common/base.h"

struct reporter;
struct sandbox;

NODISCARD struct reporter *reporter_new(struct sandbox *s);
void reporter_free(struct reporter *r); /* NULL is fine */

#endif

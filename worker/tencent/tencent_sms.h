/*
 * Tencent Cloud SMS (API 2021-01-11) as the worker's sender: one signed request a job, each by the
 * provider's own clock (provider_clock.h), and a query of a number (DescribePhoneNumberInfo) to
 * learn that clock and to probe the account, of send records, and of receipts. Contracts:
 * worker/ports/sender.h, receipts.h.
 */
#ifndef SENDCODE_WORKER_TENCENT_TENCENT_SMS_H
#define SENDCODE_WORKER_TENCENT_TENCENT_SMS_H

#include "common/base.h"
#include "worker/ports/conversions.h"
#include "worker/ports/receipts.h"
#include "worker/ports/sender.h"

struct err;
struct loop;
struct settings;
struct tencent_sms;

/*
 * Copies what it needs of settings and handlers. max_in_flight: sends under way at most; one more
 * is the caller's bug, and so is a send before `ready`. The first clock query goes out at once.
 */
NODISCARD struct tencent_sms *tencent_sms_new(struct loop *l, const struct settings *s,
                                              const struct sender_handlers *h,
                                              unsigned max_in_flight, struct err *e);
/* From the next request on, with the keys (and token) of s: copied, the former ones wiped. */
void tencent_sms_set_keys(struct tencent_sms *t, const struct settings *s);

/* Wipes the keys; what is under way is dropped without an answer. Not inside a callback. */
void tencent_sms_free(struct tencent_sms *t);

const struct sender *tencent_sms_sender(const struct tencent_sms *t);

/* Over the same connections; each called once at most. h is copied. */
struct receipts_provider tencent_sms_receipts(struct tencent_sms *t,
                                              const struct receipts_provider_handlers *h);

struct conversions_provider tencent_sms_conversions(struct tencent_sms *t,
                                                    const struct conversions_provider_handlers *h);

#endif

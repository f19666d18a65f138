/*
 * Tells Tencent that the user of a message finished what it was for (ReportConversion), for
 * accounts that Tencent's support allows to. Contract: worker/ports/conversions.h.
 */
#ifndef SENDCODE_WORKER_TENCENT_CONVERSION_REPORT_H
#define SENDCODE_WORKER_TENCENT_CONVERSION_REPORT_H

#include "common/base.h"
#include "worker/ports/conversions.h"

#define CONVERSION_REPORTS_MAX 1 /* at once */

struct conversion_reports;
struct signed_client;

/* h is copied. */
NODISCARD struct conversion_reports *
conversion_reports_new(struct signed_client *client, const struct conversions_provider_handlers *h);
/* After the client, which would call back. NULL is fine. */
void conversion_reports_free(struct conversion_reports *r);

struct conversions_provider conversion_reports_port(struct conversion_reports *r);

/* The body of an answer with HTTP status 200 (bytes from outside: pure); why unless it was
 * reported. */
enum conversion_fate conversion_answer_read(const char *body, size_t len, char why[160]);

#endif

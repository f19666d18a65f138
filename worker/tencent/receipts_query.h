/*
 * Asks for carriers' receipts: the account's queue (PullSmsSendStatus), or those of one number
 * (PullSmsSendStatusByPhoneNumber). Neither is billed, and the first is no probe: what it gave is
 * gone from the queue. Contract: receipts_provider in worker/ports/receipts.h.
 */
#ifndef SENDCODE_WORKER_TENCENT_RECEIPTS_QUERY_H
#define SENDCODE_WORKER_TENCENT_RECEIPTS_QUERY_H

#include "common/base.h"
#include "worker/ports/receipts.h"

#define RECEIPTS_QUERIES_MAX 1 /* at once */

struct receipts_queries;
struct signed_client;

/* h is copied. */
NODISCARD struct receipts_queries *receipts_queries_new(struct signed_client *client,
                                                        const struct receipts_provider_handlers *h);
/* After the client, which would call back. NULL is fine. */
void receipts_queries_free(struct receipts_queries *q);

struct receipts_provider receipts_queries_port(struct receipts_queries *q);

#endif

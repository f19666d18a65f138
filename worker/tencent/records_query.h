/*
 * Asks for the messages to a number (DescribeSendRecordList), page by page, and says whether the
 * answer is whole, so that a message's absence means something. Not billed, no gate; ended by the
 * HTTP time-out. Contract: query_records and records_answer of worker/ports/sender.h.
 */
#ifndef SENDCODE_WORKER_TENCENT_RECORDS_QUERY_H
#define SENDCODE_WORKER_TENCENT_RECORDS_QUERY_H

#include "common/base.h"

struct records_queries;
struct records_query;
struct sender_handlers;
struct signed_client;

/* h: `records`; copied. QUERIES_MAX at once. */
NODISCARD struct records_queries *records_queries_new(struct signed_client *client,
                                                      const struct sender_handlers *h);
/* After the client, which would call back. NULL is fine. */
void records_queries_free(struct records_queries *all);

/* Answers through `records`, never before it returns. One too many is the caller's bug. */
void records_queries_ask(struct records_queries *all, uint64_t ticket,
                         const struct records_query *q);

#endif

/*
 * A harmless query of a number (DescribePhoneNumberInfo): to learn the provider's clock, again and
 * again until it is told and when no other answer renewed it, and to probe the account.
 */
#ifndef SENDCODE_WORKER_TENCENT_ACCOUNT_QUERIES_H
#define SENDCODE_WORKER_TENCENT_ACCOUNT_QUERIES_H

#include "common/base.h"

struct account_queries;
struct loop;
struct sender_handlers;
struct signed_client;

#define ACCOUNT_QUERIES_MAX 2 /* at once */

/* h: `ready` and `probed`; copied. The first clock query goes out at once. */
NODISCARD struct account_queries *account_queries_new(struct loop *l, struct signed_client *client,
                                                      const struct sender_handlers *h);
/* After the client, which would call back. NULL is fine. */
void account_queries_free(struct account_queries *q);

/* Answers through `probed`; nothing while one is under way. */
void account_queries_probe(struct account_queries *q);

#endif

/*
 * curl's multi handle on the loop: sockets, timer, and the word that a transfer has ended. For
 * http_client.c alone, with which it shares curl's headers.
 */
#ifndef SENDCODE_WORKER_TENCENT_HTTP_CLIENT_MULTI_H
#define SENDCODE_WORKER_TENCENT_HTTP_CLIENT_MULTI_H

#include <curl/curl.h>

#include "common/base.h"

struct loop;
struct http_multi;

/* A transfer ended; called outside of curl, so that it may remove and add handles. */
typedef void http_multi_done_fn(void *arg, CURL *easy, CURLcode rc);

/* user_timeout_us: how long the kernel may keep bytes unacknowledged. */
NODISCARD struct http_multi *http_multi_new(struct loop *l, unsigned max_connections,
                                            int64_t user_timeout_us, http_multi_done_fn *done,
                                            void *arg);
/* Closes all connections; every handle has been removed before. NULL is fine. */
void http_multi_free(struct http_multi *m);

void http_multi_set_up(struct http_multi *m, CURL *easy); /* once for each handle */
void http_multi_add(struct http_multi *m, CURL *easy);
void http_multi_remove(struct http_multi *m, CURL *easy);

#endif

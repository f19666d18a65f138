/*
 * One HTTP POST from the loop, over evhttp's client: plain http, one connection each, no redirects
 * and no second try. (The worker's calls to Tencent go another way: worker/tencent/http_client.)
 */
#ifndef SENDCODE_COMMON_HTTP_POST_H
#define SENDCODE_COMMON_HTTP_POST_H

#include "common/base.h"

struct http_post;
struct loop;

/* status 0: no whole answer came, and body says why in a few words. body is borrowed. */
typedef void http_post_fn(void *arg, int status, const char *body, size_t len);

/* "http://HOST[:PORT][/PATH]" without user, query and fragment. */
bool http_post_is_url(const char *url);

/*
 * Of a URL that http_post_is_url takes. Copies what it is given; the body is JSON. fn comes once,
 * never before this returns. A host name is looked up at once, and blocks as long.
 */
NODISCARD struct http_post *http_post_start(struct loop *l, const char *url, const void *body,
                                            size_t len, int timeout_s, http_post_fn *fn, void *arg);
/* From fn too. Before fn came, it comes no more. NULL is fine. */
void http_post_free(struct http_post *p);

#endif

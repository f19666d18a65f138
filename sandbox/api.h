/* The API port: from an HTTP request to Tencent's answer. */
#ifndef SENDCODE_SANDBOX_API_H
#define SENDCODE_SANDBOX_API_H

#include "common/base.h"

struct http_request;

/* arg: the struct sandbox. */
void api_on_request(void *arg, struct http_request *req);

bool api_has_action(const char *name);

#endif

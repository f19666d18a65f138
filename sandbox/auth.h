/*
 * Whether a request is signed as Tencent demands: TC3-HMAC-SHA256, a known key, a timestamp at
 * most 300 s off, over the very bytes that came.
 */
#ifndef SENDCODE_SANDBOX_AUTH_H
#define SENDCODE_SANDBOX_AUTH_H

#include "common/base.h"
#include "common/crypto/tc3.h"

struct problem;
struct settings;

#define AUTH_WINDOW_S 300

/* As received; NULL where a header is missing (not the action, which was looked at before). */
struct auth_request {
    const char *authorization;
    const char *timestamp;
    const char *token;
    const char *host;
    const char *content_type;
    const char *action;
    const void *body;
    size_t body_len;
};

/* The derived keys of two services; zero it before the first use. */
struct auth {
    const struct settings *settings; /* whose TENCENT_* secrets are the key that is known */
    struct tc3_signer sms;
    struct tc3_signer other;
};

/* 0, or -1 with Tencent's error. now_s: Unix time as the sandbox's clock has it. */
NODISCARD int auth_check(struct auth *a, const struct auth_request *req, int64_t now_s,
                         struct problem *p);

#endif

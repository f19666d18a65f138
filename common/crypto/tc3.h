/* Tencent Cloud's API 3.0 signature, TC3-HMAC-SHA256, for service and check alike (tc3-vectors.json). */
#ifndef SENDCODE_COMMON_CRYPTO_TC3_H
#define SENDCODE_COMMON_CRYPTO_TC3_H

#include "common/base.h"
#include "common/crypto/crypto.h"

struct buf;

/* What is signed. host as sent in the Host header; service "sms". */
struct tc3_request {
    const char *content_type;
    const char *host;
    const char *service;
    const void *body;
    size_t body_len;
    int64_t timestamp; /* X-TC-Timestamp, seconds */
};

/* Holds the key derived for one UTC day and service; zero it before the first use, wipe it after. */
struct tc3_signer {
    char service[64];
    char date[16];
    uint8_t key[SHA256_SIZE];
    bool ready;
};

/* Signature as 64 hex digits and a NUL. */
void tc3_sign(struct tc3_signer *s, const char *secret_key, const struct tc3_request *req,
              char out[2 * SHA256_SIZE + 1]);

/* Appends the whole Authorization header value. */
void tc3_authorization(struct tc3_signer *s, const char *secret_id, const char *secret_key,
                       const struct tc3_request *req, struct buf *out);

#endif

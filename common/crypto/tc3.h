/* Tencent Cloud's API 3.0 signature, TC3-HMAC-SHA256, for signing and checking (tc3-vectors.json).
 */
#ifndef SENDCODE_COMMON_CRYPTO_TC3_H
#define SENDCODE_COMMON_CRYPTO_TC3_H

#include "common/base.h"
#include "common/crypto/crypto.h"

struct buf;

/* What is signed: content type, host and body are the very bytes on the wire. */
struct tc3_request {
    const char *method; /* NULL: "POST" */
    const char *query;  /* canonical, without '?'; NULL: "" */
    const char *content_type;
    const char *host;    /* as sent in the Host header */
    const char *action;  /* X-TC-Action in lower case when the client signs it too, else NULL */
    const char *service; /* "sms" */
    const void *body;
    size_t body_len;
    int64_t timestamp; /* X-TC-Timestamp: seconds, 0 to 253402300799 (the end of 9999) */
};

/*
 * Holds the key derived from one secret key for one UTC day and service. Zero it before the first
 * use and whenever the secret key changes; wipe it (mem_wipe) after the last.
 */
struct tc3_signer {
    char service[64];
    int64_t day; /* since 1970 */
    char date[16];
    uint8_t key[SHA256_SIZE];
    bool ready;
};

/* Signature as 64 hex digits and a NUL. */
void tc3_sign(struct tc3_signer *s, const char *secret_key, const struct tc3_request *req,
              char out[SHA256_HEX_SIZE]);

/* Appends the whole Authorization header value. */
void tc3_authorization(struct tc3_signer *s, const char *secret_id, const char *secret_key,
                       const struct tc3_request *req, struct buf *out);

#endif

/* SHA-256, HMAC-SHA256 and random bytes over OpenSSL 3, fetched once. Owner of openssl's headers. */
#ifndef SENDCODE_COMMON_CRYPTO_CRYPTO_H
#define SENDCODE_COMMON_CRYPTO_CRYPTO_H

#include "common/base.h"

#define SHA256_SIZE 32

void crypto_sha256(const void *data, size_t len, uint8_t out[SHA256_SIZE]);
void crypto_hmac(const void *key, size_t key_len, const void *data, size_t len,
                 uint8_t out[SHA256_SIZE]);
void crypto_random(void *out, size_t len);                       /* aborts when there is none */
bool crypto_equal(const void *a, const void *b, size_t len);     /* in constant time */

#endif

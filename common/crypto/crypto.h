/*
 * SHA-256, HMAC-SHA256 and random bytes over OpenSSL 3, fetched once. Owner of openssl's headers.
 * For one thread: contexts are kept from call to call. A failure inside OpenSSL panics.
 */
#ifndef SENDCODE_COMMON_CRYPTO_CRYPTO_H
#define SENDCODE_COMMON_CRYPTO_CRYPTO_H

#include "common/base.h"

#define SHA256_SIZE 32
#define SHA256_HEX_SIZE (2 * SHA256_SIZE + 1) /* with the NUL */

/* A message in pieces, hashed as if they stood together. */
struct crypto_part {
    const void *data;
    size_t len;
};
#define CRYPTO_PART(p, n) ((struct crypto_part){(p), (n)})
#define CRYPTO_TEXT(s) CRYPTO_PART((s), strlen(s)) /* the user includes <string.h> */

void crypto_sha256(const void *data, size_t len, uint8_t out[SHA256_SIZE]);
void crypto_sha256_parts(const struct crypto_part *parts, size_t n, uint8_t out[SHA256_SIZE]);
void crypto_hmac(const void *key, size_t key_len, const void *data, size_t len,
                 uint8_t out[SHA256_SIZE]);
void crypto_hmac_parts(const void *key, size_t key_len, const struct crypto_part *parts, size_t n,
                       uint8_t out[SHA256_SIZE]);
void crypto_hex(const uint8_t digest[SHA256_SIZE], char out[SHA256_HEX_SIZE]); /* lower case */
void crypto_random(void *out, size_t len);                   /* panics when there is none */
bool crypto_equal(const void *a, const void *b, size_t len); /* in constant time */

#endif

/*
 * OpenSSL's digests and MACs, fetched once and with contexts that are used again: fetching and
 * allocating per call costs more than hashing a request does.
 */
#include "common/crypto/crypto.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

static struct {
    EVP_MD *sha256;
    EVP_MD_CTX *digest;
    EVP_MAC_CTX *hmac;
} openssl;

static void openssl_start(void)
{
    char digest_name[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);

    openssl.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    openssl.digest = EVP_MD_CTX_new();
    openssl.hmac = mac ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac); /* the context holds its own reference */
    if (!openssl.sha256 || !openssl.digest || !openssl.hmac)
        panic("OpenSSL offers no SHA-256 or HMAC");
    if (EVP_MAC_CTX_set_params(openssl.hmac, params) != 1)
        panic("OpenSSL's HMAC does not take SHA-256");
}

void crypto_sha256_parts(const struct crypto_part *parts, size_t n, uint8_t out[SHA256_SIZE])
{
    int ok;

    if (!openssl.sha256)
        openssl_start();
    ok = EVP_DigestInit_ex(openssl.digest, openssl.sha256, NULL);
    for (size_t i = 0; ok == 1 && i < n; i++)
        ok = EVP_DigestUpdate(openssl.digest, parts[i].data, parts[i].len);
    if (ok != 1 || EVP_DigestFinal_ex(openssl.digest, out, NULL) != 1)
        panic("SHA-256 failed in OpenSSL");
}

void crypto_sha256(const void *data, size_t len, uint8_t out[SHA256_SIZE])
{
    crypto_sha256_parts(&(struct crypto_part){data, len}, 1, out);
}

void crypto_hmac_parts(const void *key, size_t key_len, const struct crypto_part *parts, size_t n,
                       uint8_t out[SHA256_SIZE])
{
    size_t len = 0;
    int ok;

    if (!openssl.hmac)
        openssl_start();
    ok = EVP_MAC_init(openssl.hmac, key, key_len, NULL);
    for (size_t i = 0; ok == 1 && i < n; i++)
        ok = EVP_MAC_update(openssl.hmac, parts[i].data, parts[i].len);
    if (ok != 1 || EVP_MAC_final(openssl.hmac, out, &len, SHA256_SIZE) != 1 || len != SHA256_SIZE)
        panic("HMAC-SHA256 failed in OpenSSL");
}

void crypto_hmac(const void *key, size_t key_len, const void *data, size_t len,
                 uint8_t out[SHA256_SIZE])
{
    crypto_hmac_parts(key, key_len, &(struct crypto_part){data, len}, 1, out);
}

void crypto_hex(const uint8_t digest[SHA256_SIZE], char out[SHA256_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < SHA256_SIZE; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[SHA256_HEX_SIZE - 1] = '\0';
}

void crypto_random(void *out, size_t len)
{
    if (len > INT_MAX || RAND_bytes(out, (int)len) != 1)
        panic("OpenSSL gives no random bytes");
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

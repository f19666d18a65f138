/* Codes by rejection sampling from an HMAC, digests and proofs: see code.h for the sources. */
#include "common/crypto/code.h"

#include <string.h>

#include "common/mem.h"

/* The first 32-bit word of the MAC below the largest multiple of `range`; false if none is. */
static bool pick_number(const uint8_t mac[SHA256_SIZE], uint32_t range, uint32_t *out)
{
    const uint64_t words = UINT64_C(1) << 32;
    uint64_t limit = words - words % range;

    for (size_t i = 0; i < SHA256_SIZE; i += 4) {
        uint32_t word = (uint32_t)mac[i] << 24 | (uint32_t)mac[i + 1] << 16 |
                        (uint32_t)mac[i + 2] << 8 | mac[i + 3];
        if (word < limit) {
            *out = word % range;
            return true;
        }
    }
    return false;
}

void code_derive(const uint8_t code_key[32], const uint8_t nonce[NONCE_SIZE], const char *phone,
                 const char *scene, unsigned length, char out[CODE_MAX_LENGTH + 1])
{
    const struct crypto_part message[] = {
        CRYPTO_TEXT("sendcode.code.v1\n"),
        CRYPTO_PART(nonce, NONCE_SIZE),
        CRYPTO_TEXT("\n"),
        CRYPTO_TEXT(phone),
        CRYPTO_TEXT("\n"),
        CRYPTO_TEXT(scene),
    };
    uint8_t mac[SHA256_SIZE];
    uint32_t range = 1;
    uint32_t number;

    if (length < CODE_MIN_LENGTH || length > CODE_MAX_LENGTH)
        panic("a code of %u digits", length);
    for (unsigned i = 0; i < length; i++)
        range *= 10;

    crypto_hmac_parts(code_key, 32, message, ARRAY_LEN(message), mac);
    while (!pick_number(mac, range, &number)) {
        uint8_t again[SHA256_SIZE];
        crypto_hmac(code_key, 32, mac, sizeof(mac), again);
        memcpy(mac, again, sizeof(mac));
        mem_wipe(again, sizeof(again));
    }
    out[length] = '\0';
    for (unsigned i = length; i-- > 0; number /= 10)
        out[i] = (char)('0' + number % 10);
    mem_wipe(mac, sizeof(mac));
}

void code_digest(const uint8_t verify_key[32], const char *phone, const char *scene,
                 const char *code, uint8_t out[SHA256_SIZE])
{
    const struct crypto_part message[] = {
        CRYPTO_TEXT("sendcode.v1\n"), CRYPTO_TEXT(phone), CRYPTO_TEXT("\n"),
        CRYPTO_TEXT(scene),           CRYPTO_TEXT("\n"),  CRYPTO_TEXT(code),
    };

    crypto_hmac_parts(verify_key, 32, message, ARRAY_LEN(message), out);
}

void code_proof(const uint8_t verify_key[32], const char *phone, const char *scene,
                const char *code, uint8_t out[SHA256_SIZE])
{
    uint8_t digest[SHA256_SIZE];

    code_digest(verify_key, phone, scene, code, digest);
    crypto_sha256(digest, sizeof(digest), out);
    mem_wipe(digest, sizeof(digest));
}

void code_key_id(const uint8_t key[32], uint8_t out[CODE_KEY_ID_SIZE])
{
    uint8_t hash[SHA256_SIZE];

    crypto_sha256(key, 32, hash);
    memcpy(out, hash, CODE_KEY_ID_SIZE);
}

/*
 * Codes, digests and proofs (DESIGN.md section 4, CONTRACT.md section 5,
 * schema/verify-vectors.json). A code is never stored: it is derived anew from CODE_KEY and the
 * challenge's nonce.
 */
#ifndef SENDCODE_COMMON_CRYPTO_CODE_H
#define SENDCODE_COMMON_CRYPTO_CODE_H

#include "common/base.h"
#include "common/crypto/crypto.h"

#define CODE_MIN_LENGTH 4
#define CODE_MAX_LENGTH 6
#define NONCE_SIZE 16
#define CODE_KEY_ID_SIZE 4

/* Writes `length` digits and a NUL to out. The caller wipes it. */
void code_derive(const uint8_t code_key[32], const uint8_t nonce[NONCE_SIZE], const char *phone,
                 const char *scene, unsigned length, char out[CODE_MAX_LENGTH + 1]);

/* digest = HMAC-SHA256(verify key, "sendcode.v1\n" phone "\n" scene "\n" code): what a verifier
 * presents. */
void code_digest(const uint8_t verify_key[32], const char *phone, const char *scene,
                 const char *code, uint8_t out[SHA256_SIZE]);

/* proof = SHA-256(digest): what the database stores. */
void code_proof(const uint8_t verify_key[32], const char *phone, const char *scene,
                const char *code, uint8_t out[SHA256_SIZE]);

/* The first 4 bytes of the key's SHA-256. */
void code_key_id(const uint8_t key[32], uint8_t out[CODE_KEY_ID_SIZE]);

#endif

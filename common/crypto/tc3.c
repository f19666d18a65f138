/*
 * TC3-HMAC-SHA256 as Tencent's documentation and SDKs have it: hash the canonical request, sign
 * its hash with a key derived from secret key, UTC day and service. Digests are raw bytes between
 * the steps: about one in eight holds a zero byte.
 */
#include "common/crypto/tc3.h"

#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/text.h"

#define PART(literal) ((struct crypto_part){(literal), sizeof(literal) - 1})
#define PART_TEXT(s) ((struct crypto_part){(s), strlen(s)})

static const char *signed_headers(const struct tc3_request *req)
{
    return req->action ? "content-type;host;x-tc-action" : "content-type;host";
}

static void derive_key(struct tc3_signer *s, const char *secret_key, const char *service,
                       const char *date)
{
    const struct crypto_part day = PART_TEXT(date);
    size_t secret_len = strlen(secret_key);
    char *first = mem_must_alloc(secret_len + 4);
    uint8_t k_date[SHA256_SIZE];
    uint8_t k_service[SHA256_SIZE];

    memcpy(first, "TC3", 3);
    memcpy(first + 3, secret_key, secret_len);
    crypto_hmac_parts(first, secret_len + 3, &day, 1, k_date);
    crypto_hmac(k_date, sizeof(k_date), service, strlen(service), k_service);
    crypto_hmac(k_service, sizeof(k_service), "tc3_request", strlen("tc3_request"), s->key);
    mem_wipe(first, secret_len + 4);
    mem_free(first);
    mem_wipe(k_date, sizeof(k_date));
    mem_wipe(k_service, sizeof(k_service));

    snprintf(s->service, sizeof(s->service), "%s", service);
    snprintf(s->date, sizeof(s->date), "%s", date);
    /* A service that does not fit is derived anew each time: it is never found equal. */
    s->ready = strlen(service) < sizeof(s->service);
}

static void hash_canonical_request(const struct tc3_request *req, char out[SHA256_HEX_SIZE])
{
    uint8_t digest[SHA256_SIZE];
    char body_hash[SHA256_HEX_SIZE];
    const char *method = req->method ? req->method : "POST";
    const char *query = req->query ? req->query : "";
    const char *action = req->action ? req->action : "";
    const char *headers = signed_headers(req);

    crypto_sha256(req->body, req->body_len, digest);
    crypto_hex(digest, body_hash);

    const struct crypto_part request[] = {
        PART_TEXT(method),
        PART("\n/\n"),
        PART_TEXT(query),
        PART("\ncontent-type:"),
        PART_TEXT(req->content_type),
        PART("\nhost:"),
        PART_TEXT(req->host),
        req->action ? PART("\nx-tc-action:") : PART(""),
        PART_TEXT(action),
        PART("\n\n"),
        PART_TEXT(headers),
        PART("\n"),
        PART_TEXT(body_hash),
    };
    crypto_sha256_parts(request, ARRAY_LEN(request), digest);
    crypto_hex(digest, out);
}

void tc3_sign(struct tc3_signer *s, const char *secret_key, const struct tc3_request *req,
              char out[SHA256_HEX_SIZE])
{
    char date[16];
    char timestamp[24];
    char request_hash[SHA256_HEX_SIZE];
    uint8_t mac[SHA256_SIZE];

    text_from_date_us(req->timestamp * US_PER_S, date);
    if (!s->ready || strcmp(s->date, date) != 0 || strcmp(s->service, req->service) != 0)
        derive_key(s, secret_key, req->service, date);
    snprintf(timestamp, sizeof(timestamp), "%lld", (long long)req->timestamp);
    hash_canonical_request(req, request_hash);

    const struct crypto_part to_sign[] = {
        PART("TC3-HMAC-SHA256\n"),
        PART_TEXT(timestamp),
        PART("\n"),
        PART_TEXT(date),
        PART("/"),
        PART_TEXT(req->service),
        PART("/tc3_request\n"),
        PART_TEXT(request_hash),
    };
    crypto_hmac_parts(s->key, sizeof(s->key), to_sign, ARRAY_LEN(to_sign), mac);
    crypto_hex(mac, out);
}

void tc3_authorization(struct tc3_signer *s, const char *secret_id, const char *secret_key,
                       const struct tc3_request *req, struct buf *out)
{
    char signature[SHA256_HEX_SIZE];

    tc3_sign(s, secret_key, req, signature);
    buf_add_text(out, "TC3-HMAC-SHA256 Credential=");
    buf_add_text(out, secret_id);
    buf_add_char(out, '/');
    buf_add_text(out, s->date);
    buf_add_char(out, '/');
    buf_add_text(out, req->service);
    buf_add_text(out, "/tc3_request, SignedHeaders=");
    buf_add_text(out, signed_headers(req));
    buf_add_text(out, ", Signature=");
    buf_add_text(out, signature);
}

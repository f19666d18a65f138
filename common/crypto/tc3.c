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

#define SECONDS_PER_DAY 86400

static const char *signed_headers(const struct tc3_request *req)
{
    return req->action ? "content-type;host;x-tc-action" : "content-type;host";
}

static void derive_key(struct tc3_signer *s, const char *secret_key, const char *service,
                       int64_t day)
{
    struct buf first = BUF_INIT;
    uint8_t k_date[SHA256_SIZE];
    uint8_t k_service[SHA256_SIZE];

    text_from_date_us(day * SECONDS_PER_DAY * US_PER_S, s->date);
    buf_add_text(&first, "TC3");
    buf_add_text(&first, secret_key);
    if (first.failed)
        panic("no memory for a signing key");
    crypto_hmac(first.data, first.len, s->date, strlen(s->date), k_date);
    crypto_hmac(k_date, sizeof(k_date), service, strlen(service), k_service);
    crypto_hmac(k_service, sizeof(k_service), "tc3_request", strlen("tc3_request"), s->key);
    buf_wipe(&first);
    mem_wipe(k_date, sizeof(k_date));
    mem_wipe(k_service, sizeof(k_service));

    snprintf(s->service, sizeof(s->service), "%s", service);
    s->day = day;
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
        CRYPTO_TEXT(method),
        CRYPTO_TEXT("\n/\n"),
        CRYPTO_TEXT(query),
        CRYPTO_TEXT("\ncontent-type:"),
        CRYPTO_TEXT(req->content_type),
        CRYPTO_TEXT("\nhost:"),
        CRYPTO_TEXT(req->host),
        req->action ? CRYPTO_TEXT("\nx-tc-action:") : CRYPTO_TEXT(""),
        CRYPTO_TEXT(action),
        CRYPTO_TEXT("\n\n"),
        CRYPTO_TEXT(headers),
        CRYPTO_TEXT("\n"),
        CRYPTO_TEXT(body_hash),
    };
    crypto_sha256_parts(request, ARRAY_LEN(request), digest);
    crypto_hex(digest, out);
}

void tc3_sign(struct tc3_signer *s, const char *secret_key, const struct tc3_request *req,
              char out[SHA256_HEX_SIZE])
{
    int64_t day = req->timestamp / SECONDS_PER_DAY;
    char timestamp[24];
    char request_hash[SHA256_HEX_SIZE];
    uint8_t mac[SHA256_SIZE];

    if (!s->ready || s->day != day || strcmp(s->service, req->service) != 0)
        derive_key(s, secret_key, req->service, day);
    snprintf(timestamp, sizeof(timestamp), "%lld", (long long)req->timestamp);
    hash_canonical_request(req, request_hash);

    const struct crypto_part to_sign[] = {
        CRYPTO_TEXT("TC3-HMAC-SHA256\n"),
        CRYPTO_TEXT(timestamp),
        CRYPTO_TEXT("\n"),
        CRYPTO_TEXT(s->date),
        CRYPTO_TEXT("/"),
        CRYPTO_TEXT(req->service),
        CRYPTO_TEXT("/tc3_request\n"),
        CRYPTO_TEXT(request_hash),
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

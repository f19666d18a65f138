/* Tencent's signature against the official SDK's (tests/vectors/), zero bytes included. */
#include <string.h>

#include "common/buf.h"
#include "common/crypto/tc3.h"
#include "tests/check.h"
#include "tests/unit/vectors.h"

static struct json *file;

static int read_file(void **state)
{
    (void)state;
    file = vectors_read("tests/vectors/tc3-vectors.json");
    return 0;
}

static int free_file(void **state)
{
    (void)state;
    json_free(file);
    return 0;
}

static void must_sign_as(struct tc3_signer *signer, const struct json *v, const char *signed_action)
{
    const char *body = vector_text(v, "payload");
    const struct tc3_request request = {
        .method = vector_text(v, "method"),
        .query = vector_text(v, "query"),
        .content_type = vector_text(v, "content_type"),
        .host = vector_text(v, "host"),
        .action = signed_action,
        .service = vector_text(v, "service"),
        .body = body,
        .body_len = strlen(body),
        .timestamp = vector_int(v, "timestamp"),
    };
    uint8_t key[SHA256_SIZE];
    char signature[SHA256_HEX_SIZE];
    struct buf authorization = BUF_INIT;

    assert_int_equal(strlen(body), vector_int(v, "payload_bytes"));
    tc3_sign(signer, vector_text(v, "secret_key"), &request, signature);
    assert_string_equal(signature, vector_text(v, "signature"));
    assert_string_equal(signer->date, vector_text(v, "utc_date"));
    vector_bytes(v, "k_signing_hex", key, sizeof(key));
    assert_memory_equal(signer->key, key, sizeof(key));
    tc3_authorization(signer, vector_text(v, "secret_id"), vector_text(v, "secret_key"), &request,
                      &authorization);
    assert_string_equal(buf_text(&authorization), vector_text(v, "authorization"));
    buf_free(&authorization);
}

static void signature_is_the_sdks_with_a_fresh_signer(void **state)
{
    const struct json *vectors = json_get(file, "vectors");

    (void)state;
    assert_int_equal(json_length(vectors), 18);
    for (size_t i = 0; i < json_length(vectors); i++) {
        struct tc3_signer signer = {0};
        must_sign_as(&signer, json_at(vectors, i), NULL);
    }
}

static void signer_changes_its_key_with_day_and_service(void **state)
{
    const struct json *vectors = json_get(file, "vectors");
    const char *secret_key = vector_text(json_at(vectors, 0), "secret_key");
    struct tc3_signer signer = {0};

    (void)state;
    for (size_t i = 0; i < 2 * json_length(vectors); i++) {
        const struct json *v = json_at(vectors, i % json_length(vectors));
        if (strcmp(vector_text(v, "secret_key"), secret_key) == 0)
            must_sign_as(&signer, v, NULL);
    }
}

static void action_may_be_signed_too(void **state)
{
    static const char *const actions[] = {"describeinstances", "sendsms"};
    const struct json *vectors = json_get(json_get(file, "derived_with_x_tc_action"), "vectors");

    (void)state;
    assert_int_equal(json_length(vectors), ARRAY_LEN(actions));
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        struct tc3_signer signer = {0};
        must_sign_as(&signer, json_at(vectors, i), actions[i]);
    }
}

/* The captures name no secret key: it is the one of all vectors. */
static void requests_captured_from_the_sdk_carry_our_signature(void **state)
{
    const struct json *captures = json_get(json_get(file, "wire_captures"), "captures");
    const struct json *any = json_at(json_get(file, "vectors"), 0);

    (void)state;
    assert_int_equal(json_length(captures), 3);
    for (size_t i = 0; i < json_length(captures); i++) {
        const struct json *wire = json_get(json_at(captures, i), "wire");
        const struct json *headers = json_get(wire, "headers");
        const char *body = vector_text(wire, "body");
        const struct tc3_request request = {
            .content_type = vector_text(headers, "Content-Type"),
            .host = vector_text(headers, "Host"),
            .service = "sms",
            .body = body,
            .body_len = strlen(body),
            .timestamp = vector_int(headers, "X-TC-Timestamp"),
        };
        struct tc3_signer signer = {0};
        struct buf authorization = BUF_INIT;

        tc3_authorization(&signer, vector_text(any, "secret_id"), vector_text(any, "secret_key"),
                          &request, &authorization);
        assert_string_equal(buf_text(&authorization), vector_text(headers, "Authorization"));
        buf_free(&authorization);
    }
}

static void a_changed_byte_changes_the_signature(void **state)
{
    const struct json *v = json_at(json_get(file, "vectors"), 0);
    struct tc3_request request = {
        .content_type = vector_text(v, "content_type"),
        .host = vector_text(v, "host"),
        .service = "sms",
        .body = "{}",
        .body_len = 2,
        .timestamp = vector_int(v, "timestamp"),
    };
    struct tc3_signer signer = {0};
    char first[SHA256_HEX_SIZE], second[SHA256_HEX_SIZE];

    (void)state;
    tc3_sign(&signer, "key", &request, first);
    request.timestamp++;
    tc3_sign(&signer, "key", &request, second);
    assert_string_not_equal(first, second);
    request.timestamp--;
    request.body = "{ ";
    tc3_sign(&signer, "key", &request, second);
    assert_string_not_equal(first, second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signature_is_the_sdks_with_a_fresh_signer),
        cmocka_unit_test(signer_changes_its_key_with_day_and_service),
        cmocka_unit_test(action_may_be_signed_too),
        cmocka_unit_test(requests_captured_from_the_sdk_carry_our_signature),
        cmocka_unit_test(a_changed_byte_changes_the_signature),
    };
    return cmocka_run_group_tests(tests, read_file, free_file);
}

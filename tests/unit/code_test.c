/* Codes, digests and proofs against schema/verify-vectors.json. */
#include <string.h>

#include "common/crypto/code.h"
#include "tests/check.h"
#include "tests/unit/vectors.h"

static struct json *file;

static int read_file(void **state)
{
    (void)state;
    file = vectors_read("schema/verify-vectors.json");
    return 0;
}

static int free_file(void **state)
{
    (void)state;
    json_free(file);
    return 0;
}

static void digest_and_proof_are_those_of_the_vectors(void **state)
{
    const struct json *vectors = json_get(file, "digest");

    (void)state;
    assert_int_equal(json_length(vectors), 2);
    for (size_t i = 0; i < json_length(vectors); i++) {
        const struct json *v = json_at(vectors, i);
        uint8_t key[32], expected[SHA256_SIZE], out[SHA256_SIZE];

        vector_bytes(v, "verify_key", key, sizeof(key));
        vector_bytes(v, "digest", expected, sizeof(expected));
        code_digest(key, vector_text(v, "phone"), vector_text(v, "scene"), vector_text(v, "code"),
                    out);
        assert_memory_equal(out, expected, sizeof(out));
        vector_bytes(v, "stored", expected, sizeof(expected));
        code_proof(key, vector_text(v, "phone"), vector_text(v, "scene"), vector_text(v, "code"),
                   out);
        assert_memory_equal(out, expected, sizeof(out));
    }
}

static void code_is_that_of_the_vectors(void **state)
{
    const struct json *vectors = json_get(file, "code");

    (void)state;
    assert_int_equal(json_length(vectors), 3);
    for (size_t i = 0; i < json_length(vectors); i++) {
        const struct json *v = json_at(vectors, i);
        uint8_t key[32], nonce[NONCE_SIZE];
        char code[CODE_MAX_LENGTH + 1];

        vector_bytes(v, "code_key", key, sizeof(key));
        vector_bytes(v, "nonce", nonce, sizeof(nonce));
        code_derive(key, nonce, vector_text(v, "phone"), vector_text(v, "scene"),
                    (unsigned)vector_int(v, "code_length"), code);
        assert_string_equal(code, vector_text(v, "code"));
    }
}

static void key_id_is_the_first_bytes_of_the_keys_hash(void **state)
{
    /* SHA-256 of 32 zero bytes begins 66687aad (FIPS 180-4 tools agree). */
    static const uint8_t expected[CODE_KEY_ID_SIZE] = {0x66, 0x68, 0x7a, 0xad};
    const uint8_t key[32] = {0};
    uint8_t id[CODE_KEY_ID_SIZE];

    (void)state;
    code_key_id(key, id);
    assert_memory_equal(id, expected, sizeof(id));
}

static void every_first_digit_is_about_equally_frequent(void **state)
{
    unsigned count[10] = {0};
    const uint8_t key[32] = {1};
    uint8_t nonce[NONCE_SIZE] = {0};
    char code[CODE_MAX_LENGTH + 1];

    (void)state;
    for (unsigned i = 0; i < 10000; i++) {
        memcpy(nonce, &i, sizeof(i));
        code_derive(key, nonce, "+8613800138000", "register", 6, code);
        assert_int_equal(strspn(code, "0123456789"), 6);
        count[code[0] - '0']++;
    }
    for (unsigned digit = 0; digit < 10; digit++)
        assert_in_range(count[digit], 850,
                        1150); /* five standard deviations; the nonces are fixed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digest_and_proof_are_those_of_the_vectors),
        cmocka_unit_test(code_is_that_of_the_vectors),
        cmocka_unit_test(key_id_is_the_first_bytes_of_the_keys_hash),
        cmocka_unit_test(every_first_digit_is_about_equally_frequent),
    };
    return cmocka_run_group_tests(tests, read_file, free_file);
}

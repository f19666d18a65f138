/* The secrets: Tencent's keys and the two rings of ours. Only those that the program needs are
 * read. */
#include <string.h>

#include "common/buf.h"
#include "common/crypto/code.h"
#include "common/mem.h"
#include "common/settings/settings.h"
#include "common/settings/settings_doc.h"
#include "common/settings/settings_env.h"
#include "common/settings/settings_load.h"
#include "common/text.h"

#define RECEIPT_PATH_MIN 32
#define RECEIPT_PATH_MAX 256

static bool is_printable_word(const char *s, size_t max)
{
    size_t len = strlen(s);
    for (size_t i = 0; i < len; i++)
        if (s[i] <= ' ' || s[i] > '~')
            return false;
    return len >= 1 && len <= max;
}

/* The variable, or its TENCENTCLOUD_ twin where the first is not set. */
static char *read_tencent(const struct settings *s, const char *name, const char *twin, size_t max,
                          bool needed)
{
    struct buf value = BUF_INIT;
    char *result = NULL;
    const char *used = name;
    enum env_found found = settings_env_get(s->doc, name, &value);
    if (found == ENV_NONE) {
        used = twin;
        found = settings_env_get(s->doc, twin, &value);
    }
    if (found == ENV_NONE && needed)
        settings_env_fault(s->doc, name, "expected it, %s_FILE or %s to be set", name, twin);
    else if (found == ENV_FOUND && !is_printable_word(buf_text(&value), max))
        settings_env_fault(s->doc, used, "expected 1 to %zu printable characters without spaces",
                           max);
    else if (found == ENV_FOUND)
        result = mem_must_strdup(buf_text(&value));
    buf_wipe(&value);
    return result;
}

static bool ring_has(const struct key_ring *ring, const uint8_t key[32])
{
    for (size_t i = 0; i < ring->n; i++)
        if (memcmp(ring->keys[i].bytes, key, 32) == 0)
            return true;
    return false;
}

/* NULL, or what was expected of the text between two commas. */
static const char *add_key(struct key_ring *ring, const char *s, size_t len)
{
    uint8_t bytes[32];
    const char *expected = NULL;
    while (len > 0 && strchr(" \t\r\n", *s) != NULL) {
        s++;
        len--;
    }
    while (len > 0 && strchr(" \t\r\n", s[len - 1]) != NULL)
        len--;
    if (!text_hex_to_bytes(s, len, bytes, sizeof(bytes))) {
        expected = "expected 64 hex digits, or several such keys with commas between";
    } else if (ring_has(ring, bytes)) {
        expected = "expected each key once";
    } else if (ring->n == SETTINGS_KEYS_MAX) {
        expected = "expected at most 4 keys";
    } else {
        struct secret_key *key = &ring->keys[ring->n++];
        memcpy(key->bytes, bytes, sizeof(bytes));
        code_key_id(bytes, key->id);
    }
    mem_wipe(bytes, sizeof(bytes));
    return expected;
}

static void read_ring(const struct settings *s, const char *name, struct key_ring *ring)
{
    struct buf value = BUF_INIT;
    enum env_found found = settings_env_get(s->doc, name, &value);
    if (found == ENV_NONE)
        settings_env_fault(s->doc, name, "expected it or %s_FILE to be set: 64 hex digits", name);
    const char *at = buf_text(&value);
    const char *expected = NULL;
    while (found == ENV_FOUND && expected == NULL) {
        size_t len = strcspn(at, ",");
        expected = add_key(ring, at, len);
        if (at[len] == '\0')
            break;
        at += len + 1;
    }
    if (expected != NULL)
        settings_env_fault(s->doc, name, "%s", expected);
    buf_wipe(&value);
}

/* A path as it stands in a request line: nothing to be escaped, and nothing behind it. Two slashes
 * at its beginning would make a host's name of it. */
static bool is_receipt_path(const char *path)
{
    size_t len = strlen(path);
    return path[0] == '/' && path[1] != '/' && len >= RECEIPT_PATH_MIN && len <= RECEIPT_PATH_MAX &&
           text_all_in(path, len,
                       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-._~");
}

static void read_receipt_path(struct settings *s)
{
    struct buf value = BUF_INIT;
    enum env_found found = settings_env_get(s->doc, "SENDCODE_RECEIPT_PATH", &value);
    if (found == ENV_NONE || (found == ENV_FOUND && !is_receipt_path(buf_text(&value))))
        settings_env_fault(
            s->doc, "SENDCODE_RECEIPT_PATH",
            "expected a path of %d to %d characters: one slash, then A-Z a-z 0-9 - . "
            "_ ~ and further slashes",
            RECEIPT_PATH_MIN, RECEIPT_PATH_MAX);
    else if (found == ENV_FOUND)
        s->secrets.receipt_path = mem_must_strdup(buf_text(&value));
    buf_wipe(&value);
}

void settings_read_secrets(struct settings *s, unsigned needs)
{
    if (needs & SETTINGS_NEED_RECEIVER)
        read_receipt_path(s);
    if (needs & (SETTINGS_NEED_TENCENT | SETTINGS_NEED_TENCENT_KEYS)) {
        s->secrets.tencent_secret_id =
            read_tencent(s, "TENCENT_SECRET_ID", "TENCENTCLOUD_SECRET_ID", 128, true);
        s->secrets.tencent_secret_key =
            read_tencent(s, "TENCENT_SECRET_KEY", "TENCENTCLOUD_SECRET_KEY", 128, true);
        s->secrets.tencent_token =
            read_tencent(s, "TENCENT_TOKEN", "TENCENTCLOUD_TOKEN", 4096, false);
    }
    if (needs & SETTINGS_NEED_CODE_KEY)
        read_ring(s, "SENDCODE_CODE_KEY", &s->secrets.code);
    if (needs & SETTINGS_NEED_VERIFY_KEY)
        read_ring(s, "SENDCODE_VERIFY_KEY", &s->secrets.verify);
    for (size_t i = 0; i < s->secrets.code.n; i++) {
        if (ring_has(&s->secrets.verify, s->secrets.code.keys[i].bytes)) {
            settings_env_fault(s->doc, "SENDCODE_VERIFY_KEY",
                               "expected no key that is also in SENDCODE_CODE_KEY");
            break;
        }
    }
}

/*
 * A light look at a PostgreSQL connection string, in both forms that libpq takes: whether it is
 * one, and whether a password stands in it. libpq itself judges the rest.
 */
#include <string.h>

#include "common/mem.h"
#include "common/settings/settings_check.h"
#include "common/text.h"

static const char dsn_expected[] =
    "a connection string of libpq: key=value pairs or a postgresql:// URI";
static const char no_password[] = "no password here: set PGPASSWORD or PGPASSFILE";

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static const char *skip_space(const char *s)
{
    while (is_space(*s))
        s++;
    return s;
}

static bool is_secret_key(const char *key, size_t len)
{
    static const char *const secrets[] = {"password", "sslpassword"};
    for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
        if (len == strlen(secrets[i]) && memcmp(key, secrets[i], len) == 0)
            return true;
    return false;
}

/* Behind a value, which may be quoted and has backslash escapes; NULL when a quote stays open. */
static const char *skip_value(const char *s)
{
    bool quoted = *s == '\'';
    if (quoted)
        s++;
    while (*s != '\0' && (quoted ? *s != '\'' : !is_space(*s)))
        s += s[0] == '\\' && s[1] != '\0' ? 2 : 1;
    if (!quoted)
        return s;
    return *s == '\'' ? s + 1 : NULL;
}

static const char *check_pairs(const char *s)
{
    for (s = skip_space(s); *s != '\0'; s = skip_space(s)) {
        size_t len = strcspn(s, "= \t\r\v\f");
        const char *equals = skip_space(s + len);
        if (len == 0 || *equals != '=')
            return dsn_expected;
        if (is_secret_key(s, len))
            return no_password;
        s = skip_value(skip_space(equals + 1));
        if (s == NULL)
            return dsn_expected;
    }
    return NULL;
}

/* Resolves %XX; out has room for len bytes. False when they are no hex digits. */
static bool percent_decode(const char *s, size_t len, char *out, size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < len; i++, (*n)++) {
        uint8_t byte = (uint8_t)s[i];
        if (s[i] == '%') {
            if (len - i < 3 || !text_hex_to_bytes(s + i + 1, 2, &byte, 1))
                return false;
            i += 2;
        }
        out[*n] = (char)byte;
    }
    return true;
}

/* The query of a URI: key=value with & between, keys perhaps percent-encoded. */
static const char *check_query(const char *s)
{
    while (*s != '\0') {
        size_t len = strcspn(s, "&");
        const char *equals = memchr(s, '=', len);
        if (equals == NULL || equals == s)
            return dsn_expected;
        size_t n;
        char *key = mem_must_alloc(len);
        bool good = percent_decode(s, (size_t)(equals - s), key, &n);
        bool secret = good && is_secret_key(key, n);
        mem_free(key);
        if (!good)
            return dsn_expected;
        if (secret)
            return no_password;
        s += len;
        if (*s == '&')
            s++;
    }
    return NULL;
}

static const char *check_uri(const char *s)
{
    const char *at = memchr(s, '@', strcspn(s, "/")); /* libpq looks no further either */
    if (at != NULL) {
        const char *colon = memchr(s, ':', (size_t)(at - s));
        if (colon != NULL && colon + 1 < at)
            return no_password;
        s = at + 1;
    }
    const char *query = strchr(s, '?');
    return query != NULL ? check_query(query + 1) : NULL;
}

const char *check_dsn(const char *value)
{
    if (strncmp(value, "postgresql://", 13) == 0)
        return check_uri(value + 13);
    if (strncmp(value, "postgres://", 11) == 0)
        return check_uri(value + 11);
    return skip_space(value)[0] != '\0' ? check_pairs(value) : dsn_expected;
}

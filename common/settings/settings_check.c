/* Checks of single values: addresses, names, identifiers. */
#include "common/settings/settings_check.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/log.h"
#include "common/networks.h"
#include "common/text.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static const char endpoint_expected[] =
    "https:// and a host, with :PORT if need be, and nothing behind it";

static bool is_word(const char *s, size_t len, size_t max, const char *set)
{
    return len <= max && text_all_in(s, len, set);
}

static bool has_control_characters(const char *s)
{
    for (; *s != '\0'; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7F)
            return true;
    return false;
}

static bool is_port(const char *s, int64_t least)
{
    int64_t port;
    return strlen(s) <= 5 && text_all_in(s, strlen(s), DIGITS) &&
           text_to_int(s, least, 65535, &port);
}

/*
 * Splits "HOST:PORT", "[V6]:PORT" or, then *port is NULL, a host alone. The host without brackets
 * goes to `host`. False when that is not its form.
 */
static bool split_host(const char *s, char *host, size_t size, bool *v6, const char **port)
{
    const char *end;
    *v6 = s[0] == '[';
    if (*v6) {
        end = strchr(++s, ']');
        if (end == NULL)
            return false;
    } else {
        end = s + strcspn(s, ":");
    }
    const char *rest = end + (*v6 ? 1 : 0);
    if (end == s || (size_t)(end - s) >= size || (*rest != '\0' && *rest != ':'))
        return false;
    snprintf(host, size, "%.*s", (int)(end - s), s);
    *port = *rest == ':' ? rest + 1 : NULL;
    return true;
}

/* Labels of letters, digits and inner hyphens; a name whose last label is a number is no name. */
static bool is_dns_name(const char *host)
{
    const char *label = host;
    for (;;) {
        size_t len = strcspn(label, ".");
        if (!is_word(label, len, 63, LOWER UPPER DIGITS "-") || label[0] == '-' ||
            label[len - 1] == '-')
            return false;
        if (label[len] == '\0')
            return !text_all_in(label, 1, DIGITS);
        label += len + 1;
    }
}

const char *check_endpoint(const char *value)
{
    char host[254];
    const char *port;
    bool v6;
    struct in_addr v4_addr;
    struct in6_addr v6_addr;
    bool tls = strncmp(value, "https://", 8) == 0;
    if (!tls && strncmp(value, "http://", 7) != 0)
        return endpoint_expected;
    if (!split_host(value + (tls ? 8 : 7), host, sizeof(host), &v6, &port) ||
        (port != NULL && !is_port(port, 1)))
        return endpoint_expected;

    bool loopback = strcasecmp(host, "localhost") == 0;
    if (v6) {
        if (inet_pton(AF_INET6, host, &v6_addr) != 1)
            return endpoint_expected;
        loopback = IN6_IS_ADDR_LOOPBACK(&v6_addr);
    } else if (inet_pton(AF_INET, host, &v4_addr) == 1) {
        loopback = ntohl(v4_addr.s_addr) >> 24 == 127;
    } else if (!is_dns_name(host)) {
        return endpoint_expected;
    }
    return tls || loopback ? NULL
                           : "https://; plain http:// only to 127.0.0.0/8, [::1] or localhost";
}

const char *check_listen(const char *value)
{
    static const char expected[] =
        "a numeric address and a port, such as 127.0.0.1:9464 or [::1]:9464";
    char host[64];
    uint8_t addr[sizeof(struct in6_addr)];
    const char *port;
    bool v6;
    if (!split_host(value, host, sizeof(host), &v6, &port) || port == NULL || !is_port(port, 0))
        return expected;
    return inet_pton(v6 ? AF_INET6 : AF_INET, host, addr) == 1 ? NULL : expected;
}

const char *check_networks(const char *value)
{
    struct networks *n = networks_new(value);
    bool ok = n != NULL;
    networks_free(n);
    return ok ? NULL : "addresses or networks with commas between: 10.0.0.0/8,2001:db8::1";
}

const char *check_topic(const char *value)
{
    if (!is_word(value, strlen(value), 249, LOWER UPPER DIGITS "._-") || strcmp(value, ".") == 0 ||
        strcmp(value, "..") == 0)
        return "a topic's name: 1 to 249 of A-Z a-z 0-9 . _ -";
    return NULL;
}

const char *check_identifier(const char *value)
{
    return is_word(value, strlen(value), 64, LOWER UPPER DIGITS "._-")
               ? NULL
               : "1 to 64 of A-Z a-z 0-9 . _ -";
}

const char *check_sign_name(const char *value)
{
    size_t len = strlen(value);
    return len >= 1 && len <= 64 && !has_control_characters(value)
               ? NULL
               : "the text of an approved signature, 1 to 64 bytes";
}

const char *check_worker_name(const char *value)
{
    return is_word(value, strlen(value), 64, LOWER UPPER DIGITS "._:-")
               ? NULL
               : "1 to 64 of A-Z a-z 0-9 . _ : -";
}

const char *check_log_level(const char *value)
{
    enum log_level level;
    return log_level_from_text(value, &level) && level <= LOG_ERROR ? NULL
                                                                    : "debug, info, warn or error";
}

const char *check_path(const char *value)
{
    return value[0] != '\0' && strlen(value) < 4096 && !has_control_characters(value)
               ? NULL
               : "the path of a file";
}

bool check_is_scene_name(const char *s, size_t len)
{
    return is_word(s, len, 32, LOWER DIGITS "._-");
}

bool check_is_locale(const char *s, size_t len)
{
    return is_word(s, len, 35, LOWER UPPER DIGITS "-");
}

static bool ends_with(const char *s, const char *end)
{
    size_t len = strlen(s), end_len = strlen(end);
    return len >= end_len && strcmp(s + len - end_len, end) == 0;
}

bool check_is_secret_property(const char *name)
{
    return ends_with(name, "password") || ends_with(name, ".pem") ||
           strstr(name, "secret") != NULL || strcmp(name, "sasl.oauthbearer.config") == 0;
}

/*
 * Checks a TC3 signature. The signed service is "sms"; on a loopback host it may be the host's
 * first label, with or without the port, as the Node.js SDK signs there. The signed host is the
 * Host header's, with or without its port.
 */
#include "sandbox/auth.h"

#include <string.h>

#include "common/settings/settings.h"
#include "common/text.h"
#include "sandbox/problem.h"

#define ALGORITHM "TC3-HMAC-SHA256"
#define HOST_MAX 256

/* The parts of an Authorization header, borrowed from it. */
struct part {
    const char *s;
    size_t len;
};
struct claim {
    struct part secret_id, date, service, signature;
    bool action_signed;
};

static bool part_is(struct part p, const char *s)
{
    return p.len == strlen(s) && memcmp(p.s, s, p.len) == 0;
}

static bool skip(const char **at, const char *expected)
{
    size_t len = strlen(expected);
    if (strncmp(*at, expected, len) != 0)
        return false;
    *at += len;
    return true;
}

static bool take_until(const char **at, char end, struct part *out)
{
    const char *stop = strchr(*at, end);
    if (!stop || stop == *at)
        return false;
    *out = (struct part){*at, (size_t)(stop - *at)};
    *at = stop + 1;
    return true;
}

static void skip_spaces(const char **at)
{
    *at += strspn(*at, " ");
}

static bool claim_parse(const char *at, struct claim *c)
{
    struct part terminator;
    struct part headers;
    if (!skip(&at, ALGORITHM " "))
        return false;
    skip_spaces(&at);
    if (!skip(&at, "Credential=") || !take_until(&at, '/', &c->secret_id) ||
        !take_until(&at, '/', &c->date) || !take_until(&at, '/', &c->service) ||
        !take_until(&at, ',', &terminator) || !part_is(terminator, "tc3_request"))
        return false;
    skip_spaces(&at);
    if (!skip(&at, "SignedHeaders=") || !take_until(&at, ',', &headers))
        return false;
    c->action_signed = part_is(headers, "content-type;host;x-tc-action");
    if (!c->action_signed && !part_is(headers, "content-type;host"))
        return false;
    skip_spaces(&at);
    if (!skip(&at, "Signature="))
        return false;
    c->signature = (struct part){at, strlen(at)};
    return c->signature.len == SHA256_HEX_SIZE - 1;
}

/* The length of host without its port. */
static size_t host_name_length(const char *host)
{
    if (host[0] == '[') {
        const char *end = strchr(host, ']');
        return end ? (size_t)(end - host) + 1 : strlen(host);
    }
    return strcspn(host, ":");
}

static bool is_loopback(const char *host, size_t name_len)
{
    struct part name = {host, name_len};
    return strncmp(host, "127.", 4) == 0 || part_is(name, "localhost") || part_is(name, "[::1]");
}

static bool service_is_allowed(struct part service, const char *host)
{
    if (part_is(service, "sms"))
        return true;
    size_t name_len = host_name_length(host);
    size_t label_len = strcspn(host, ".");
    if (!is_loopback(host, name_len))
        return false;
    struct part with_port = {host, label_len};
    struct part bare = {host, MIN(label_len, name_len)};
    return (service.len == with_port.len && memcmp(service.s, with_port.s, service.len) == 0) ||
           (service.len == bare.len && memcmp(service.s, bare.s, service.len) == 0);
}

/* Cut to what fits: no action's name is longer. */
static void to_lower(const char *s, char *out, size_t size)
{
    size_t i = 0;
    for (; s[i] && i + 1 < size; i++)
        out[i] = (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] - 'A' + 'a' : s[i]);
    out[i] = 0;
}

static bool signature_fits(struct auth *a, const struct auth_request *req, const struct claim *c,
                           int64_t timestamp, const char *host)
{
    char service[sizeof a->sms.service];
    char action[64];
    if (c->service.len >= sizeof service)
        return false;
    to_lower(req->action, action, sizeof action);
    memcpy(service, c->service.s, c->service.len);
    service[c->service.len] = 0;
    struct tc3_request signed_request = {
        .content_type = req->content_type,
        .host = host,
        .service = service,
        .body = req->body,
        .body_len = req->body_len,
        .timestamp = timestamp,
        .action = c->action_signed ? action : NULL,
    };
    char expected[SHA256_HEX_SIZE];
    struct tc3_signer *signer = strcmp(service, "sms") == 0 ? &a->sms : &a->other;
    tc3_sign(signer, a->settings->secrets.tencent_secret_key, &signed_request, expected);
    return part_is(c->date, signer->date) &&
           crypto_equal(expected, c->signature.s, c->signature.len);
}

static bool any_host_fits(struct auth *a, const struct auth_request *req, const struct claim *c,
                          int64_t timestamp)
{
    if (signature_fits(a, req, c, timestamp, req->host))
        return true;
    size_t name_len = host_name_length(req->host);
    char name[HOST_MAX];
    if (req->host[name_len] == 0 || name_len >= sizeof name)
        return false;
    memcpy(name, req->host, name_len);
    name[name_len] = 0;
    return signature_fits(a, req, c, timestamp, name);
}

static int check_token(const char *known, const char *token, struct problem *p)
{
    bool same = token && known ? strcmp(token, known) == 0 : !token == !known;
    if (same)
        return 0;
    return problem_set(p, "AuthFailure.TokenFailure",
                       "The token is wrong, expired, or does not belong to this SecretId.");
}

int auth_check(struct auth *a, const struct auth_request *req, int64_t now_s, struct problem *p)
{
    struct claim c;
    int64_t timestamp;
    if (!req->authorization)
        return problem_set(p, "MissingParameter",
                           "The request is missing a required parameter `Authorization`.");
    if (!req->timestamp)
        return problem_set(p, "MissingParameter",
                           "The request is missing a required parameter `Timestamp`.");
    if (!text_to_int(req->timestamp, 0, INT64_C(99999999999), &timestamp))
        return problem_set(p, "InvalidParameter",
                           "The value type of parameter `Timestamp` is not valid.");
    if (!req->host || !req->content_type || !claim_parse(req->authorization, &c))
        return problem_set(p, "AuthFailure.InvalidAuthorization",
                           "The authorization header is not well formed.");
    if (!part_is(c.secret_id, a->settings->secrets.tencent_secret_id))
        return problem_set(
            p, "AuthFailure.SecretIdNotFound",
            "The SecretId is not found, please ensure that your SecretId is correct.");
    if (timestamp - now_s > AUTH_WINDOW_S || now_s - timestamp > AUTH_WINDOW_S)
        return problem_set(p, "AuthFailure.SignatureExpire",
                           "The provided credentials could not be validated because of exceeding "
                           "request timestamp limit, please check your local clock.");
    if (check_token(a->settings->secrets.tencent_token, req->token, p) < 0)
        return -1;
    if (!service_is_allowed(c.service, req->host) || !any_host_fits(a, req, &c, timestamp))
        return problem_set(p, "AuthFailure.SignatureFailure",
                           "The provided credentials could not be validated. Please check your "
                           "signature is correct.");
    return 0;
}

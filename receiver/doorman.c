/* The path as its digest, so that what is compared has one length whatever was asked for. */
#include "receiver/doorman.h"

#include <string.h>

#include "common/crypto/crypto.h"
#include "common/mem.h"
#include "common/networks.h"
#include "common/settings/settings.h"

struct doorman {
    uint8_t key[SHA256_SIZE]; /* of this process, so that the digests are nobody's else */
    uint8_t path[SHA256_SIZE];
    struct networks *allow; /* NULL: everybody */
    struct networks *local;
    bool trust_proxy;
};

/* list: checked by the settings. */
static struct networks *must_read(const char *list)
{
    struct networks *n = networks_new(list);
    if (!n)
        panic("a list of networks that the settings did not check");
    return n;
}

struct doorman *doorman_new(const struct settings *s)
{
    const char *path = s->secrets.receipt_path;
    struct doorman *d = mem_must_alloc(sizeof *d);

    crypto_random(d->key, sizeof d->key);
    crypto_hmac(d->key, sizeof d->key, path, strlen(path), d->path);
    d->allow = s->receiver.allow ? must_read(s->receiver.allow) : NULL;
    d->local = must_read("127.0.0.0/8,::1");
    d->trust_proxy = s->receiver.trust_proxy;
    return d;
}

void doorman_free(struct doorman *d)
{
    if (!d)
        return;
    networks_free(d->allow);
    networks_free(d->local);
    mem_wipe(d, sizeof *d);
    mem_free(d);
}

bool doorman_knows_path(const struct doorman *d, const char *path)
{
    uint8_t digest[SHA256_SIZE];

    crypto_hmac(d->key, sizeof d->key, path, strlen(path), digest);
    return crypto_equal(digest, d->path, sizeof digest);
}

const char *doorman_caller(const struct doorman *d, const char *peer, const char *forwarded)
{
    if (!d->trust_proxy || !forwarded ||
        !(networks_have(d->local, peer) || (d->allow && networks_have(d->allow, peer))))
        return peer;
    const char *comma = strrchr(forwarded, ',');
    const char *last = comma ? comma + 1 : forwarded;
    return last + strspn(last, " \t");
}

bool doorman_lets_in(const struct doorman *d, const char *caller)
{
    return !d->allow || networks_have(d->allow, caller);
}

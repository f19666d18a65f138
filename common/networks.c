/* All addresses as IPv6: those of version 4 as ::ffff:a.b.c.d. */
#include "common/networks.h"

#include <arpa/inet.h>
#include <string.h>

#include "common/mem.h"
#include "common/text.h"

#define ADDRESS_BITS 128
#define MAPPED_BITS 96 /* before a v4 address */

struct network {
    uint8_t address[ADDRESS_BITS / 8];
    unsigned bits;
};

struct networks {
    size_t n;
    struct network of[];
};

/* len bytes of s. True and the address; *v4 says whether it was written as one of version 4. */
static bool read_address(const char *s, size_t len, uint8_t out[ADDRESS_BITS / 8], bool *v4)
{
    static const uint8_t mapped[MAPPED_BITS / 8] = {[10] = 0xff, [11] = 0xff};
    char text[INET6_ADDRSTRLEN];

    if (len >= sizeof text)
        return false;
    memcpy(text, s, len);
    text[len] = '\0';
    *v4 = strchr(text, ':') == NULL;
    if (!*v4)
        return inet_pton(AF_INET6, text, out) == 1;
    memcpy(out, mapped, sizeof mapped);
    return inet_pton(AF_INET, text, out + sizeof mapped) == 1;
}

/* An address, or one with the bits of its network behind a slash. */
static bool read_network(const char *s, size_t len, struct network *out)
{
    const char *slash = memchr(s, '/', len);
    size_t address = slash ? (size_t)(slash - s) : len;
    int64_t bits = ADDRESS_BITS;
    bool v4 = false;

    if (!read_address(s, address, out->address, &v4))
        return false;
    if (slash) {
        char text[4];
        size_t digits = len - address - 1;
        if (digits >= sizeof text || !text_all_in(slash + 1, digits, "0123456789"))
            return false;
        memcpy(text, slash + 1, digits);
        text[digits] = '\0';
        if (!text_to_int(text, 0, v4 ? ADDRESS_BITS - MAPPED_BITS : ADDRESS_BITS, &bits))
            return false;
        bits += v4 ? MAPPED_BITS : 0;
    }
    out->bits = (unsigned)bits;
    return true;
}

static bool read_list(const char *list, struct networks *n)
{
    for (;;) {
        list += strspn(list, " \t");
        size_t len = strcspn(list, ", \t");
        const char *rest = list + len + strspn(list + len, " \t");
        if (!read_network(list, len, &n->of[n->n++]) || (*rest != '\0' && *rest != ','))
            return false;
        if (*rest == '\0')
            return true;
        list = rest + 1;
    }
}

struct networks *networks_new(const char *list)
{
    size_t most = 1;
    for (const char *p = list; p && *p; p++)
        most += *p == ',';
    struct networks *n = mem_must_alloc(sizeof *n + most * sizeof n->of[0]);
    if (!list || read_list(list, n))
        return n;
    networks_free(n);
    return NULL;
}

void networks_free(struct networks *n)
{
    mem_free(n);
}

static bool is_in(const struct network *n, const uint8_t address[ADDRESS_BITS / 8])
{
    unsigned whole = n->bits / 8, rest = n->bits % 8;

    if (memcmp(n->address, address, whole) != 0)
        return false;
    return rest == 0 || (n->address[whole] ^ address[whole]) >> (8 - rest) == 0;
}

bool networks_have(const struct networks *n, const char *address)
{
    uint8_t bytes[ADDRESS_BITS / 8];
    bool v4;

    if (!read_address(address, strcspn(address, "%"), bytes, &v4))
        return false;
    for (size_t i = 0; i < n->n; i++)
        if (is_in(&n->of[i], bytes))
            return true;
    return false;
}

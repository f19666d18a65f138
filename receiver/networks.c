/* All addresses as IPv6: those of version 4 as ::ffff:a.b.c.d. */
#include "receiver/networks.h"

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

static void read_network(const char *s, size_t len, struct network *out)
{
    size_t address = strcspn(s, "/, \t");
    int64_t bits = ADDRESS_BITS;
    bool v4 = false;

    if (!read_address(s, address, out->address, &v4))
        panic("a network that the settings did not check");
    if (address < len) {
        char text[4] = "";
        memcpy(text, s + address + 1, MIN(len - address - 1, sizeof text - 1));
        if (!text_to_int(text, 0, ADDRESS_BITS, &bits))
            panic("a network that the settings did not check");
        bits += v4 ? MAPPED_BITS : 0;
    }
    out->bits = (unsigned)bits;
}

struct networks *networks_new(const char *list)
{
    size_t most = list ? 1 : 0;
    for (const char *p = list; p && *p; p++)
        most += *p == ',';
    struct networks *n = mem_must_alloc(sizeof *n + most * sizeof n->of[0]);
    for (const char *p = list; p && n->n < most;) {
        p += strspn(p, ", \t");
        size_t len = strcspn(p, ", \t");
        read_network(p, len, &n->of[n->n++]);
        p += len;
    }
    return n;
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

/* Seeded randomness (SplitMix64) in the shapes that Tencent's answers have. */
#include "sandbox/dice.h"

#include <string.h>

void dice_init(struct dice *d, uint64_t seed)
{
    d->state = seed;
}

static uint64_t next(struct dice *d)
{
    d->state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = d->state;
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

double dice_unit(struct dice *d)
{
    return (double)(next(d) >> 11) * 0x1p-53;
}

static void put_digits(char *out, size_t n, uint64_t value)
{
    while (n > 0) {
        out[--n] = (char)('0' + value % 10);
        value /= 10;
    }
}

/* As in "2640:" and 27 digits: 19 of them random, so that none comes twice in practice. */
void dice_serial_no(struct dice *d, char out[SERIAL_NO_SIZE])
{
    memcpy(out, "2640:", 5);
    put_digits(out + 5, 8, next(d));
    put_digits(out + 13, 19, next(d));
    out[32] = 0;
}

void dice_request_id(struct dice *d, char out[REQUEST_ID_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    static const char shape[] = "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx";
    uint64_t bits[2] = {next(d), next(d)};
    unsigned used = 0;
    for (size_t i = 0; i < sizeof shape; i++) {
        out[i] = shape[i];
        if (shape[i] != 'x')
            continue;
        out[i] = hex[(bits[used / 16] >> (used % 16 * 4)) & 15];
        used++;
    }
}

/* Back-off: each wait is drawn anew, so that many who failed together do not return together. */
#include "common/backoff.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

static uint32_t read_system_random(void)
{
    uint32_t n = 0;
    if (getrandom(&n, sizeof(n), 0) != (ssize_t)sizeof(n)) {
        panic("getrandom failed: %s", strerror(errno));
    }
    return n;
}

static uint32_t (*random_source)(void) = read_system_random;

void backoff_set_random(uint32_t (*fn)(void))
{
    random_source = fn != NULL ? fn : read_system_random;
}

uint32_t backoff_random(void)
{
    return random_source();
}

int64_t backoff_spread_us(int64_t us)
{
    return us / 2 + (int64_t)backoff_random() % us;
}

int64_t backoff_next_us(struct backoff *b)
{
    int64_t most = b->base_us;
    for (unsigned i = 0; i < b->tries && most < b->cap_us; i++) {
        most = most > b->cap_us / 2 ? b->cap_us : most * 2;
    }
    most = MIN(most, b->cap_us);
    int64_t least = MIN(b->base_us / 2, most);
    b->tries++;
    return least + (int64_t)((__int128)(most - least) * backoff_random() / UINT32_MAX);
}

void backoff_reset(struct backoff *b)
{
    b->tries = 0;
}

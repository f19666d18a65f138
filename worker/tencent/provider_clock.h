/*
 * The provider's clock as an offset to ours (DESIGN.md section 5): never later than theirs, so that
 * a signature dies no later than we count on. The wall clock is used only until the first answer.
 */
#ifndef SENDCODE_WORKER_TENCENT_PROVIDER_CLOCK_H
#define SENDCODE_WORKER_TENCENT_PROVIDER_CLOCK_H

#include "common/base.h"

/* Tencent refuses an X-TC-Timestamp that differs by more than this from its own time. */
#define SIGNATURE_WINDOW_S 300

struct provider_clock {
    bool is_known;
    int64_t offset_us;     /* provider's Unix time minus CLOCK_BOOTTIME, rounded down */
    int64_t spread_us;     /* the true offset is at most this much more */
    int64_t learned_at_us; /* CLOCK_BOOTTIME */
};

/*
 * date_s: the Date of an answer that was here at now_us (CLOCK_BOOTTIME) at the latest, to what was
 * asked at asked_us at the earliest.
 */
void provider_clock_learn(struct provider_clock *c, int64_t date_s, int64_t asked_us,
                          int64_t now_us);

/*
 * X-TC-Timestamp for a request signed at now_us that the provider is to refuse when it arrives
 * more than life_s seconds (at most SIGNATURE_WINDOW_S) later.
 */
int64_t provider_clock_timestamp(const struct provider_clock *c, int64_t life_s, int64_t now_us);

/* CLOCK_BOOTTIME at the provider's second unix_s, as near as we know: within half of spread_us. */
int64_t provider_clock_to_boot(const struct provider_clock *c, int64_t unix_s);

/* Both can be right: each says what the other says, give or take slack_us. */
bool provider_clock_agrees(const struct provider_clock *a, const struct provider_clock *b,
                           int64_t slack_us);

#endif

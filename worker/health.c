/* Readiness of what the worker needs. */
#include "worker/health.h"

#include <stdio.h>

#include "common/buf.h"

#define SAY_AGAIN_US (30 * US_PER_S)

static const char *const names[SERVICE_COUNT] = {
    [SERVICE_KAFKA_IN] = "kafka (jobs)",
    [SERVICE_KAFKA_OUT] = "kafka (events)",
    [SERVICE_CLAIMS] = "postgres (claims)",
    [SERVICE_OUTCOMES] = "postgres (outcomes)",
};

void health_init(struct health *h)
{
    for (int s = 0; s < SERVICE_COUNT; s++) {
        h->of[s].gate = (struct log_gate){.period_us = SAY_AGAIN_US};
        snprintf(h->of[s].why, sizeof(h->of[s].why), "not reached yet");
    }
}

void health_report(struct health *h, enum service s, const char *why)
{
    int64_t dropped = 0;
    snprintf(h->of[s].why, sizeof(h->of[s].why), "%s", why ? why : "");
    if (!why) {
        if (log_gate_reset(&h->of[s].gate))
            log_info("service is back", LS("service", names[s]));
        return;
    }
    if (log_gate_open(&h->of[s].gate, &dropped))
        log_warn("service is not reachable; waiting for it", LS("service", names[s]),
                 LS("why", why), LI("not_logged", dropped));
}

void health_say(const struct health *h, struct buf *out)
{
    for (int s = 0; s < SERVICE_COUNT; s++) {
        if (h->of[s].why[0])
            buf_add_fmt(out, "%s%s: %s", out->len ? "; " : "", names[s], h->of[s].why);
    }
}

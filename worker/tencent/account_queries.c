/* Clock query and probe: one request each, the clock's with a back-off until it is told. */
#include "worker/tencent/account_queries.h"

#include <stdio.h>
#include <string.h>

#include "common/backoff.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "worker/ports/sender.h"
#include "worker/tencent/answer.h"
#include "worker/tencent/signed_client.h"

/* Any well-formed number does: nothing is sent to it. */
#define QUERY_BODY "{\"PhoneNumberSet\":[\"+8613800138000\"]}"
#define CLOCK_RENEW_US (600 * US_PER_S) /* when no other answer did it */

enum query { CLOCK_QUERY, PROBE_QUERY };

struct account_queries {
    struct signed_client *client;
    struct sender_handlers handlers;
    struct loop_timer *clock_timer; /* the next clock query */
    struct backoff clock_backoff;
    struct log_gate clock_gate;
    bool probe_under_way;
    int64_t asked_us[ACCOUNT_QUERIES_MAX];
};

static void on_done(void *arg, uint64_t id, const struct http_answer *a);

static void ask(struct account_queries *q, enum query which)
{
    const struct signed_request r = {
        .action = "X-TC-Action: DescribePhoneNumberInfo",
        .body = QUERY_BODY,
        .body_len = strlen(QUERY_BODY),
        .max_answer = ANSWER_MAX_BYTES,
        .id = which,
        .done = on_done,
        .arg = q,
    };

    q->asked_us[which] = signed_client_post(q->client, &r);
}

void account_queries_probe(struct account_queries *q)
{
    if (q->probe_under_way)
        return;
    q->probe_under_way = true;
    ask(q, PROBE_QUERY);
}

static void query_clock(void *arg)
{
    struct account_queries *q = arg;
    const struct provider_clock *clock = signed_client_clock(q->client);
    int64_t age_us = clock_boot_us() - clock->learned_at_us;

    if (clock->is_known && age_us < CLOCK_RENEW_US) {
        loop_timer_start(q->clock_timer, CLOCK_RENEW_US - age_us); /* other answers renewed it */
        return;
    }
    ask(q, CLOCK_QUERY);
}

/* True when the provider answered; code as of answer_read_query. */
static bool read_answer(struct account_queries *q, enum query which, const struct http_answer *a,
                        char code[96], char why[160])
{
    char status[160];
    const char *fault = signed_client_fault(a, status);

    code[0] = '\0';
    if (fault) {
        snprintf(why, 160, "%s", fault);
        return false;
    }
    if (!answer_read_query(a->body, a->body_len, code, why))
        return false;
    signed_client_learn_clock(q->client, a, q->asked_us[which]);
    return true;
}

static void finish_probe(struct account_queries *q, const struct http_answer *a)
{
    char code[96];
    char why[160];
    bool answered = read_answer(q, PROBE_QUERY, a, code, why);

    q->probe_under_way = false;
    if (!answered)
        q->handlers.probed(q->handlers.arg, why);
    else
        q->handlers.probed(q->handlers.arg, code[0] ? code : NULL);
}

static void finish_clock_query(struct account_queries *q, const struct http_answer *a)
{
    char code[96];
    char why[160];
    bool was_known = signed_client_clock(q->client)->is_known;
    bool answered = read_answer(q, CLOCK_QUERY, a, code, why);
    int64_t dropped = 0;

    if (answered && a->date_s >= 0) {
        if (log_gate_reset(&q->clock_gate))
            log_info("the provider answers again");
        backoff_reset(&q->clock_backoff);
        loop_timer_start(q->clock_timer, CLOCK_RENEW_US);
        if (!was_known)
            q->handlers.ready(q->handlers.arg);
        return;
    }
    if (log_gate_open(&q->clock_gate, &dropped))
        log_warn("the provider does not tell its time, asking again",
                 LS("why", answered ? "the answer has no Date" : why), LI("dropped", dropped));
    loop_timer_start(q->clock_timer, backoff_next_us(&q->clock_backoff));
}

static void on_done(void *arg, uint64_t id, const struct http_answer *a)
{
    if (id == CLOCK_QUERY)
        finish_clock_query(arg, a);
    else
        finish_probe(arg, a);
}

struct account_queries *account_queries_new(struct loop *l, struct signed_client *client,
                                            const struct sender_handlers *h)
{
    struct account_queries *q = mem_must_alloc(sizeof(*q));

    q->client = client;
    q->handlers = *h;
    q->clock_backoff = (struct backoff){.base_us = 200 * US_PER_MS, .cap_us = 5 * US_PER_S};
    q->clock_gate.period_us = 30 * US_PER_S;
    q->clock_timer = loop_timer_new(l, query_clock, q);
    query_clock(q);
    return q;
}

void account_queries_free(struct account_queries *q)
{
    if (!q)
        return;
    loop_timer_free(q->clock_timer);
    mem_free(q);
}

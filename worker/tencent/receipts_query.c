/* One question at a time, one page each: what it lists is copied by who is told of it. */
#include "worker/tencent/receipts_query.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"
#include "worker/tencent/receipts_page.h"
#include "worker/tencent/signed_client.h"

#define REACH_S 604800     /* 7 days */
#define REACH_MARGIN_S 90  /* the request takes a while, and our idea of their clock is behind */
#define BEGIN_EARLIER_S 60 /* than the acceptance: it is dated by the database's clock */
#define ARENA_FIRST_BLOCK 4096

struct receipts_queries {
    struct signed_client *client;
    struct receipts_provider_handlers handlers;
    bool under_way;
    int64_t asked_us;
    struct receipts_page page; /* of the last answer */
};

/* True when a list came; else why says what did. */
static bool read_answer(struct receipts_queries *q, const struct http_answer *a,
                        struct arena *arena, char why[160])
{
    char code[96], text[160];
    const char *fault = signed_client_fault(a, text);

    q->page.n = 0;
    if (!fault) {
        fault = receipts_page_read(a->body, a->body_len, arena, &q->page, code, text);
        if (!fault || code[0])
            signed_client_learn_clock(q->client, a, q->asked_us);
        if (fault && code[0]) {
            snprintf(why, 160, "the provider refuses: %s", code);
            return false;
        }
    }
    snprintf(why, 160, "%s", fault ? fault : "");
    return !fault;
}

static void on_answer(void *arg, uint64_t id, const struct http_answer *a)
{
    struct receipts_queries *q = arg;
    struct arena *arena = arena_new(ARENA_FIRST_BLOCK);
    char why[160];
    bool listed;

    (void)id;
    if (!arena)
        panic("out of memory for receipts that the provider will not give again");
    listed = read_answer(q, a, arena, why);
    q->under_way = false;
    q->handlers.answered(q->handlers.arg, &(struct receipts_answer){
                                              .receipts = q->page.receipts,
                                              .n = q->page.n,
                                              .full = listed && q->page.n == RECEIPTS_PAGE_MAX,
                                              .why = listed ? NULL : why,
                                          });
    arena_free(arena);
}

/* By the provider's clock, as far back as it goes. */
static int64_t begin_s(const struct receipts_queries *q, int64_t since_us)
{
    const struct provider_clock *clock = signed_client_clock(q->client);
    int64_t now_s = (clock_boot_us() + clock->offset_us) / US_PER_S;
    int64_t earliest_s = now_s - REACH_S + REACH_MARGIN_S;

    return MIN(MAX(since_us / US_PER_S - BEGIN_EARLIER_S, earliest_s), now_s);
}

static void ask(void *self, const struct receipts_query *asked)
{
    struct receipts_queries *q = self;
    struct json *body = json_new_object();
    struct signed_request r = {
        .action = asked->phone ? "X-TC-Action: PullSmsSendStatusByPhoneNumber"
                               : "X-TC-Action: PullSmsSendStatus",
        .max_answer = RECEIPTS_PAGE_MAX_BYTES,
        .done = on_answer,
        .arg = q,
    };

    if (q->under_way)
        panic("more than one question for receipts at once");
    q->under_way = true;
    json_add_int(body, "Limit", RECEIPTS_PAGE_MAX);
    json_add_text(body, "SmsSdkAppId", asked->sdk_app_id);
    if (asked->phone) {
        json_add_text(body, "PhoneNumber", asked->phone);
        json_add_int(body, "BeginTime", begin_s(q, asked->since_us));
        json_add_int(body, "Offset", 0);
    }
    r.body = json_text(body, &r.body_len);
    q->asked_us = signed_client_post(q->client, &r);
    json_free(body);
}

static bool is_ready(void *self)
{
    const struct receipts_queries *q = self;

    return signed_client_clock(q->client)->is_known;
}

struct receipts_queries *receipts_queries_new(struct signed_client *client,
                                              const struct receipts_provider_handlers *h)
{
    struct receipts_queries *q = mem_must_alloc(sizeof(*q));

    q->client = client;
    q->handlers = *h;
    return q;
}

void receipts_queries_free(struct receipts_queries *q)
{
    mem_free(q);
}

struct receipts_provider receipts_queries_port(struct receipts_queries *q)
{
    return (struct receipts_provider){.self = q, .is_ready = is_ready, .ask = ask};
}

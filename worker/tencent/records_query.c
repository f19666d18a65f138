/*
 * Pages are gathered until one is shorter than what was asked for. Every doubt about the answer,
 * and about the clock that turns the provider's seconds into ours, is a fault: the first is told.
 */
#include "worker/tencent/records_query.h"

#include <stdio.h>
#include <string.h>
#include <utarray.h>

#include "common/clock.h"
#include "common/domain/phone.h"
#include "common/json.h"
#include "common/mem.h"
#include "worker/ports/sender.h"
#include "worker/tencent/records_page.h"
#include "worker/tencent/signed_client.h"

#define PAGES_MAX 20
#define REACH_S 259200     /* 72 h */
#define REACH_MARGIN_S 90  /* the request takes a while, and our idea of their clock is behind */
#define BEGIN_EARLIER_S 10 /* than asked for: more than the clocks may differ unnoticed */
#define TIME_EARLIER_S 2   /* a record may be dated before BeginTime: they round somewhere */
#define TIME_LATER_S 5     /* and after the answer's Date */
#define CLOCK_SLACK_US (2 * US_PER_S)
#define CLOCK_SPREAD_MAX_US (4 * US_PER_S) /* a record's time is then right to 3 s */

struct found {
    struct page_record record;
    unsigned page;
};

struct query {
    bool under_way;
    uint64_t ticket;
    char phone[PHONE_MAX + 1];
    char *sdk_app_id;
    struct provider_clock clock; /* as it was known when the query began */
    struct provider_clock dated; /* by the last page's Date; as clock when it has none */
    int64_t asked_us;            /* the page under way; boot clock */
    int64_t begin_s;             /* provider's Unix time */
    bool cut_short;              /* begin_s is later than was wanted */
    unsigned pages;
    int64_t total; /* the highest TotalCount */
    int64_t counted;
    UT_array found;
    char code[96];
    char why[160]; /* the first fault */
};

struct records_queries {
    struct signed_client *client;
    struct sender_handlers handlers;
    struct query queries[QUERIES_MAX];
};

static const UT_icd found_icd = {sizeof(struct found), NULL, NULL, NULL};
static const UT_icd record_icd = {sizeof(struct send_record), NULL, NULL, NULL};

static void on_page(void *arg, uint64_t id, const struct http_answer *a);

static void ask_page(struct records_queries *all, struct query *q)
{
    struct json *body = json_new_object();
    struct signed_request r = {
        .action = "X-TC-Action: DescribeSendRecordList",
        .max_answer = RECORDS_PAGE_MAX_BYTES,
        .id = (uint64_t)(q - all->queries),
        .done = on_page,
        .arg = all,
    };

    json_add_text(body, "PhoneNumber", q->phone);
    json_add_text(body, "SmsSdkAppId", q->sdk_app_id);
    json_add_int(body, "BeginTime", q->begin_s);
    json_add_int(body, "Limit", RECORDS_PAGE_MAX);
    json_add_int(body, "Offset", (int64_t)q->pages * RECORDS_PAGE_MAX);
    r.body = json_text(body, &r.body_len);
    q->asked_us = signed_client_post(all->client, &r);
    json_free(body);
}

static void note_fault(struct query *q, const char *fault)
{
    if (fault && !q->why[0])
        snprintf(q->why, sizeof(q->why), "%s", fault);
}

/* ---- one query's pages ---- */

static bool is_same(const struct found *f, const struct page_record *r)
{
    return f->record.sent_s == r->sent_s && f->record.accepted == r->accepted &&
           (r->accepted || strcmp(f->record.code, r->code) == 0);
}

/*
 * Takes a record in, once. One without a SerialNo that an earlier page had likewise may be that
 * one, moved by a newer message, or another of that second: it is kept, but not counted.
 */
static void add_record(struct query *q, const struct page_record *r)
{
    struct found new = {.record = *r, .page = q->pages};
    bool counts = true;

    for (struct found *f = NULL; (f = utarray_next(&q->found, f));) {
        if (strcmp(f->record.serial_no, r->serial_no) != 0)
            continue;
        if (r->serial_no[0] == '\0') {
            counts = counts && !(f->page < q->pages && is_same(f, r));
            continue;
        }
        if (!is_same(f, r)) {
            note_fault(q, "the same SerialNo is there twice, with different meanings");
            f->record.accepted = f->record.accepted || r->accepted;
        }
        return;
    }
    q->counted += counts;
    utarray_push_back(&q->found, &new);
}

/* What the answer's Date says of the provider's clock. */
static void take_date(struct query *q, const struct http_answer *a, int64_t now_us)
{
    q->dated = q->clock;
    if (a->date_s >= 0)
        provider_clock_learn(&q->dated, a->date_s, q->asked_us, now_us);
    if (!q->clock.is_known)
        note_fault(q, "the provider's clock was not known when it was asked");
    else if (!provider_clock_agrees(&q->clock, &q->dated, CLOCK_SLACK_US))
        note_fault(q, "the answer's Date contradicts what the provider's clock said before");
    else if (q->dated.spread_us > CLOCK_SPREAD_MAX_US)
        note_fault(q, "the answer took too long to tell the provider's time from it");
}

/* True when there may be another page. */
static bool take_page(struct records_queries *all, struct query *q, const struct http_answer *a)
{
    char why[160];
    const char *fault = signed_client_fault(a, why);
    int64_t now_us = clock_boot_us();
    struct records_scope scope = {.phone = q->phone, .oldest_s = q->begin_s - TIME_EARLIER_S};
    struct records_page page;

    if (fault) {
        note_fault(q, fault);
        return false;
    }
    take_date(q, a, now_us);
    scope.newest_s = (now_us + q->dated.offset_us) / US_PER_S + TIME_LATER_S;
    fault = records_page_read(a->body, a->body_len, &scope, &page, q->code, why);
    note_fault(q, fault);
    if (!fault || q->code[0])
        signed_client_learn_clock(all->client, a, q->asked_us);
    for (size_t i = 0; i < page.n; i++)
        add_record(q, &page.records[i]);
    q->total = MAX(q->total, page.total);
    q->pages++;
    if (page.listed != RECORDS_PAGE_MAX)
        return false;
    if (q->pages == PAGES_MAX)
        note_fault(q, "the number has more records than can be asked for");
    return q->pages < PAGES_MAX;
}

/* The caller frees it. */
static UT_array convert(const struct query *q)
{
    UT_array records;

    utarray_init(&records, &record_icd);
    for (struct found *f = NULL; (f = utarray_next(&q->found, f));) {
        struct send_record r = {.at_us = provider_clock_to_boot(&q->dated, f->record.sent_s),
                                .accepted = f->record.accepted};

        memcpy(r.serial_no, f->record.serial_no, sizeof(r.serial_no));
        memcpy(r.code, f->record.code, sizeof(r.code));
        utarray_push_back(&records, &r);
    }
    return records;
}

static void clear(struct query *q)
{
    utarray_done(&q->found);
    mem_free(q->sdk_app_id);
    *q = (struct query){0};
}

static void finish(struct records_queries *all, struct query *q)
{
    uint64_t ticket = q->ticket;
    UT_array records = convert(q);
    struct records_answer answer = {
        .records = utarray_front(&records),
        .n = utarray_len(&records),
    };

    if (q->total > q->counted)
        note_fault(q, "the provider counts more records than it gave");
    if (q->cut_short)
        note_fault(q, "what is asked for lies further back than the provider remembers");
    answer.whole = !q->why[0];
    memcpy(answer.code, q->code, sizeof(answer.code));
    memcpy(answer.why, q->why, sizeof(answer.why));
    clear(q); /* before the handler, which may ask again */
    all->handlers.records(all->handlers.arg, ticket, &answer);
    utarray_done(&records);
}

static void on_page(void *arg, uint64_t id, const struct http_answer *a)
{
    struct records_queries *all = arg;
    struct query *q = &all->queries[id];

    if (take_page(all, q, a))
        ask_page(all, q);
    else
        finish(all, q);
}

/* ---- from start to end ---- */

static void set_begin(struct query *q, int64_t since_us)
{
    int64_t now_us = clock_boot_us();
    int64_t earliest_s = (now_us + q->clock.offset_us) / US_PER_S - REACH_S + REACH_MARGIN_S;
    int64_t wanted_s = (since_us + q->clock.offset_us) / US_PER_S - BEGIN_EARLIER_S;

    q->cut_short = wanted_s < earliest_s;
    q->begin_s = MAX(wanted_s, earliest_s);
}

void records_queries_ask(struct records_queries *all, uint64_t ticket,
                         const struct records_query *asked)
{
    struct query *q = all->queries;

    while (q < all->queries + QUERIES_MAX && q->under_way)
        q++;
    if (q == all->queries + QUERIES_MAX)
        panic("more than %d queries for send records at once", QUERIES_MAX);
    q->under_way = true;
    q->ticket = ticket;
    snprintf(q->phone, sizeof(q->phone), "%s", asked->phone);
    q->sdk_app_id = mem_must_strdup(asked->sdk_app_id);
    utarray_init(&q->found, &found_icd);
    q->clock = *signed_client_clock(all->client);
    if (!q->clock.is_known)
        q->clock.offset_us = clock_wall_us() - clock_boot_us();
    q->dated = q->clock;
    set_begin(q, asked->since_us);
    ask_page(all, q);
}

struct records_queries *records_queries_new(struct signed_client *client,
                                            const struct sender_handlers *h)
{
    struct records_queries *all = mem_must_alloc(sizeof(*all));

    all->client = client;
    all->handlers = *h;
    return all;
}

void records_queries_free(struct records_queries *all)
{
    if (!all)
        return;
    for (size_t i = 0; i < QUERIES_MAX; i++)
        if (all->queries[i].under_way)
            clear(&all->queries[i]);
    mem_free(all);
}

/* The rig of records_query_test and records_doubt_test. */
#include "tests/unit/records_rig.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/loop.h"
#include "tests/check.h"
#include "worker/tencent/records_query.h"

static int64_t real_start_us;
static int64_t moved_us;

static int64_t slow_boot_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_BOOTTIME, &ts);
    return 100 * HOUR_US + (ts.tv_sec * US_PER_S + ts.tv_nsec / 1000 - real_start_us) / 10 +
           moved_us;
}

static int64_t far_wall_us(void)
{
    return 42 * US_PER_S; /* must not matter */
}

void rig_move_clock(int64_t by_us)
{
    moved_us += by_us;
}

static const struct clock_source slow_clock = {.boot_us = slow_boot_us, .wall_us = far_wall_us};

static struct rig rig;

int64_t rig_provider_now_s(const struct rig *r)
{
    return PROVIDER_START + (clock_boot_us() - r->started_us) / US_PER_S;
}

void rig_add_record(struct buf *out, const char *serial, int status, const char *code,
                    int64_t time_s)
{
    buf_add_fmt(out,
                "{\"SerialNo\":\"%s\",\"PhoneNumber\":\"" PHONE "\",\"SendStatus\":%d,"
                "\"RequestCode\":\"%s\",\"SendTime\":%lld}",
                serial, status, code, (long long)time_s);
}

void rig_reply(struct rig *r, struct tiny_conn *c, const char *body)
{
    tiny_conn_reply(c, 200, r->no_date ? -1 : rig_provider_now_s(r) + r->date_off_s, body);
}

void rig_reply_page(struct rig *r, struct tiny_conn *c)
{
    struct buf body = BUF_INIT;
    int64_t end = MIN(r->offset + 50, r->n_records);

    buf_add_text(&body, "{\"Response\":{\"SendRecordSet\":[");
    for (int64_t i = r->offset; i < end; i++) {
        char serial[32];

        if (i > r->offset)
            buf_add_char(&body, ',');
        snprintf(serial, sizeof(serial), "s:%lld", (long long)i);
        if (i == 0 && r->odd_record)
            buf_add_text(&body, r->odd_record);
        else
            rig_add_record(&body, serial, 3, "Ok", PROVIDER_START - i);
    }
    buf_add_text(&body, "]");
    if (r->total >= 0)
        buf_add_fmt(&body, ",\"TotalCount\":%lld", (long long)r->total);
    buf_add_text(&body, ",\"RequestId\":\"a-1\"}}");
    rig_reply(r, c, buf_text(&body));
    buf_free(&body);
}

static void on_request(void *arg, struct tiny_conn *c, const char *head, const char *body)
{
    struct rig *r = arg;
    struct json *j = json_parse(body, strlen(body), &(struct json_limits){.max_depth = 4}, NULL);
    char action[64];
    int64_t limit = 0;

    tiny_header(head, "X-TC-Action", action, sizeof(action));
    assert_string_equal(action, "DescribeSendRecordList");
    assert_string_equal(json_get_text(j, "PhoneNumber"), PHONE);
    assert_string_equal(json_get_text(j, "SmsSdkAppId"), "1400006666");
    assert_false(json_has(j, "EndTime"));
    assert_true(json_int(json_get(j, "Limit"), &limit));
    assert_int_equal(limit, 50);
    assert_true(json_int(json_get(j, "BeginTime"), &r->begin_s));
    assert_true(json_int(json_get(j, "Offset"), &r->offset));
    json_free(j);
    r->requests++;
    if (r->respond)
        r->respond(r, c);
    else
        rig_reply_page(r, c);
}

static void on_records(void *arg, uint64_t ticket, const struct records_answer *a)
{
    struct rig *r = arg;

    r->ticket = ticket;
    r->answer = *a;
    assert_true(a->n <= RECORDS_KEPT_MAX);
    if (a->n > 0)
        memcpy(r->records, a->records, a->n * sizeof(r->records[0]));
    if (++r->answers == r->wanted)
        loop_stop(r->base.loop);
}

void rig_learn(struct rig *r, int64_t date_s)
{
    client_rig_learn(&r->base, date_s);
}

struct rig *rig_start(void)
{
    struct rig *r = &rig;
    const struct sender_handlers h = {.arg = r, .records = on_records};

    *r = (struct rig){.total = -1};
    real_start_us = moved_us = 0;
    clock_set_source(NULL);
    real_start_us = clock_boot_us();
    clock_set_source(&slow_clock);
    r->started_us = clock_boot_us();
    client_rig_start(&r->base, 1, QUERIES_MAX, on_request, r);
    r->queries = records_queries_new(r->base.client, &h);
    rig_learn(r, PROVIDER_START);
    return r;
}

void rig_end(struct rig *r)
{
    records_queries_free(r->queries);
    client_rig_end(&r->base);
    clock_set_source(NULL);
}

void rig_ask(struct rig *r, uint64_t ticket, int64_t back_us)
{
    const struct records_query q = {
        .phone = PHONE, .sdk_app_id = "1400006666", .since_us = clock_boot_us() - back_us};

    records_queries_ask(r->queries, ticket, &q);
}

void rig_run(struct rig *r, unsigned n)
{
    r->wanted = r->answers + n;
    loop_run(r->base.loop);
}

void rig_ask_and_run(struct rig *r)
{
    rig_ask(r, 7, HOUR_US);
    assert_int_equal(r->answers, 0); /* never before the call returns */
    rig_run(r, 1);
    assert_int_equal(r->ticket, 7);
    assert_int_equal(r->answer.whole, r->answer.why[0] == '\0');
}

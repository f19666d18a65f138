/* Receipts as they stand in a callback, gathered into bodies. */
#include "sandbox/report.h"

#include <string.h>
#include <time.h>

#include "sandbox/json_out.h"
#include "sandbox/sandbox.h"

#define CHINA_S (INT64_C(8) * 3600)
#define FAILED_CODE "UNDELIV"

/* "2026-11-24 16:00:00", in China. */
static void add_time(struct buf *out, int64_t at_us)
{
    char text[32];
    time_t t = (time_t)(at_us / US_PER_S + CHINA_S);
    struct tm tm;
    gmtime_r(&t, &tm);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
    json_out_member(out, "user_receive_time", text);
}

static void flush(struct report *r)
{
    if (r->n == 0)
        return;
    buf_add_char(&r->body, ']');
    for (int64_t i = 0; i < r->times; i++)
        callbacks_add(r->callbacks, &r->spec, &r->body, r->n);
    buf_clear(&r->body);
    r->n = 0;
}

void report_add(struct report *r, const struct number *number, const char *serial_no,
                const struct verdict *v, int64_t at_us)
{
    struct buf *out = &r->body;
    const char *code = v->failed ? FAILED_CODE : OUTCOME_DELIVERED;
    const char *description = v->failed ? "用户短信接收失败" : "用户短信送达成功";
    char nation[NUMBER_SIZE] = "";
    memcpy(nation, number->e164 + 1, number->nation_digits);
    buf_add_text(out, r->n++ == 0 ? "[{" : ",{");
    add_time(out, at_us);
    buf_add_char(out, ',');
    json_out_member(out, "nationcode", nation);
    buf_add_char(out, ',');
    json_out_member(out, "mobile", number->e164 + 1 + number->nation_digits);
    buf_add_char(out, ',');
    json_out_member(out, "report_status", v->failed ? "FAIL" : "SUCCESS");
    buf_add_char(out, ',');
    json_out_member(out, "errmsg", v->code ? v->code : code);
    buf_add_char(out, ',');
    json_out_member(out, "description", v->description ? v->description : description);
    buf_add_char(out, ',');
    json_out_member(out, "sid", serial_no);
    buf_add_char(out, '}');
    if (r->n == r->batch)
        flush(r);
}

void report_add_message(struct report *r, struct message *m, const struct verdict *verdict,
                        int64_t now_us)
{
    struct number number;
    if (!number_from_text(m->of->phone, &number))
        return;
    if (verdict)
        message_decide(m, verdict->failed,
                       verdict->code || !verdict->failed ? verdict->code : FAILED_CODE);
    if (!m->reported)
        m->outcome.at_us = MIN(m->outcome.at_us, now_us);
    struct verdict said = {m->outcome.failed, m->outcome.code, NULL};
    m->reported = true;
    m->called = true;
    report_add(r, &number, m->serial_no, verdict ? verdict : &said, m->outcome.at_us);
}

void report_end(struct report *r)
{
    flush(r);
    buf_free(&r->body);
}

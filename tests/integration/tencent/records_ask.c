/*
 * records_ask ENDPOINT PHONE BACK_S TIMES: asks for a number's send records of the last BACK_S
 * seconds, TIMES in a row, by the worker's own sender, and prints each answer as a line of JSON.
 * The keys are in the environment. For records_ask_test.py.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/json.h"
#include "common/loop.h"
#include "common/settings/settings.h"
#include "common/text.h"
#include "worker/tencent/tencent_sms.h"

struct asking {
    struct loop *loop;
    struct tencent_sms *sms;
    const char *phone;
    int64_t back_s;
    uint64_t left;
};

static void ask(struct asking *a)
{
    const struct sender *sender = tencent_sms_sender(a->sms);
    const struct records_query q = {
        .phone = a->phone,
        .sdk_app_id = "1400006789",
        .since_us = clock_boot_us() - a->back_s * US_PER_S,
    };

    sender->query_records(sender->self, a->left, &q);
}

static bool on_gate(void *arg, uint64_t ticket)
{
    (void)arg, (void)ticket;
    return false;
}

static void on_sent(void *arg, uint64_t ticket, const struct send_result *r)
{
    (void)arg, (void)ticket, (void)r;
}

static void on_probed(void *arg, const char *why)
{
    (void)arg, (void)why;
}

static void on_ready(void *arg)
{
    ask(arg);
}

static struct json *record_json(const struct send_record *r)
{
    struct json *j = json_new_object();

    json_add_text(j, "serial_no", r->serial_no);
    json_add_text(j, "code", r->code);
    json_add_int(j, "accepted", r->accepted);
    json_add_int(j, "age_ms", (clock_boot_us() - r->at_us) / US_PER_MS);
    return j;
}

static void on_records(void *arg, uint64_t ticket, const struct records_answer *answer)
{
    struct asking *a = arg;
    struct json *j = json_new_object();
    struct json *records = json_new_array();
    size_t len;

    if (ticket != a->left)
        panic("the answer to another question");
    json_add_int(j, "whole", answer->whole);
    json_add_text(j, "code", answer->code);
    json_add_text(j, "why", answer->why);
    for (size_t i = 0; i < answer->n; i++)
        json_append(records, record_json(&answer->records[i]));
    json_add(j, "records", records);
    puts(json_text(j, &len));
    json_free(j);
    if (--a->left > 0)
        ask(a);
    else
        loop_stop(a->loop);
}

int main(int argc, char **argv)
{
    struct asking a = {0};
    const struct sender_handlers h = {.arg = &a,
                                      .gate = on_gate,
                                      .sent = on_sent,
                                      .probed = on_probed,
                                      .ready = on_ready,
                                      .records = on_records};
    char region[] = "ap-guangzhou";
    struct settings s = {
        .tencent.region = region, .tencent.timeout = 1, .tencent.signature_life = 15};
    struct err e = {0};
    int64_t times = 0;

    s.secrets.tencent_secret_id = getenv("TENCENT_SECRET_ID");
    s.secrets.tencent_secret_key = getenv("TENCENT_SECRET_KEY");
    if (!s.secrets.tencent_secret_id || !s.secrets.tencent_secret_key || argc != 5 ||
        !text_to_int(argv[3], 0, INT32_MAX, &a.back_s) || !text_to_int(argv[4], 1, 1000, &times)) {
        fprintf(stderr, "usage: records_ask ENDPOINT PHONE BACK_S TIMES\n");
        return 64;
    }
    s.tencent.endpoint = argv[1];
    a.phone = argv[2];
    a.left = (uint64_t)times;
    a.loop = loop_new(&e);
    a.sms = a.loop ? tencent_sms_new(a.loop, &s, &h, 1, &e) : NULL;
    if (!a.sms) {
        fprintf(stderr, "records_ask: %s\n", e.text);
        return 69;
    }
    loop_run(a.loop);
    tencent_sms_free(a.sms);
    loop_free(a.loop);
    return 0;
}

/* Reads an order of receipts, finds the messages it is about, and answers when all are posted. */
#include "sandbox/receipt_order.h"

#include <string.h>
#include <utlist.h>

#include "common/err.h"
#include "common/http_post.h"
#include "common/httpd.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/text.h"
#include "sandbox/json_in.h"
#include "sandbox/json_out.h"
#include "sandbox/report.h"
#include "sandbox/sandbox.h"

#define CALLBACKS_MAX 10000 /* of one order */
#define LATER_MAX_MS 86400000
#define SERIALS_MAX 10000

struct order {
    struct sandbox *sandbox;
    const char *url;
    const struct json *serial_nos, *phones;
    struct number of_unknown; /* whose serial numbers are that the sandbox did not give */
    bool has_unknown_phone;
    bool has_verdict;
    struct verdict verdict;
    int64_t delay_ms, retry_ms, times, batch;
};

/* A request that is answered when its callbacks are. */
struct receipt_wait {
    struct receipt_wait *prev, *next;
    struct receipt_orders *of;
    struct http_request *req;
    int64_t order;
    int64_t receipts, callbacks, taken, refused;
};

/* A serial number that was asked for. */
struct wanted {
    const char *serial_no; /* key */
    struct message *message;
    UT_hash_handle hh;
};

static const char *const members[] = {"url",      "serial_nos", "phones",      "phone",
                                      "status",   "code",       "description", "delay_ms",
                                      "retry_ms", "times",      "batch",       NULL};

static void answer(struct http_request *req, int status, const struct receipt_wait *w)
{
    struct buf body = BUF_INIT;
    buf_add_char(&body, '{');
    json_out_int(&body, "order", w->order);
    buf_add_char(&body, ',');
    json_out_int(&body, "receipts", w->receipts);
    buf_add_char(&body, ',');
    json_out_int(&body, "callbacks", w->callbacks);
    if (status == 200) {
        buf_add_char(&body, ',');
        json_out_int(&body, "taken", w->taken);
        buf_add_char(&body, ',');
        json_out_int(&body, "refused", w->refused);
    }
    buf_add_text(&body, "}\n");
    http_reply(req, status, "application/json", buf_text(&body), body.len);
    buf_free(&body);
}

static void on_callback_done(void *arg, bool taken)
{
    struct receipt_wait *w = arg;
    if (taken)
        w->taken++;
    else
        w->refused++;
    if (w->taken + w->refused < w->callbacks)
        return;
    answer(w->req, 200, w);
    DL_DELETE(w->of->waits, w);
    mem_free(w);
}

void receipt_orders_free(struct receipt_orders *o)
{
    while (o->waits) {
        struct receipt_wait *w = o->waits;
        http_drop(w->req);
        DL_DELETE(o->waits, w);
        mem_free(w);
    }
}

static int read_texts(const struct json *top, const char *key, const struct json **out,
                      struct err *e)
{
    const struct json *list = json_get(top, key);
    *out = list;
    if (!json_has(top, key))
        return 0;
    bool ok =
        json_type(list) == JSON_ARRAY && json_length(list) > 0 && json_length(list) <= SERIALS_MAX;
    for (size_t i = 0; ok && i < json_length(list); i++) {
        size_t len = 0;
        const char *s = json_string(json_at(list, i), &len);
        ok = s && len > 0 && strlen(s) == len;
    }
    if (!ok)
        return err_set(e, ERR_PERM, 0, "\"%s\" must be an array of 1 to %d strings", key,
                       SERIALS_MAX);
    return 0;
}

static int read_text(const struct json *top, const char *key, const char **out, struct err *e)
{
    *out = json_get_text(top, key);
    if (json_has(top, key) && !*out)
        return err_set(e, ERR_PERM, 0, "\"%s\" must be a string", key);
    return 0;
}

static int read_verdict(const struct json *top, struct order *o, struct err *e)
{
    const char *status;
    if (read_text(top, "status", &status, e) < 0 ||
        read_text(top, "code", &o->verdict.code, e) < 0 ||
        read_text(top, "description", &o->verdict.description, e) < 0)
        return -1;
    o->has_verdict = status != NULL;
    if (!status && (o->verdict.code || o->verdict.description))
        return err_set(e, ERR_PERM, 0, "\"code\" and \"description\" need \"status\"");
    if (status && strcmp(status, "SUCCESS") != 0 && strcmp(status, "FAIL") != 0)
        return err_set(e, ERR_PERM, 0, "\"status\" must be \"SUCCESS\" or \"FAIL\"");
    o->verdict.failed = status && strcmp(status, "FAIL") == 0;
    return 0;
}

static int read_order(const struct json *top, struct order *o, struct err *e)
{
    const char *phone;
    if (json_in_check(top, "an order of receipts", members, e) < 0 ||
        read_text(top, "url", &o->url, e) < 0 || read_text(top, "phone", &phone, e) < 0 ||
        read_texts(top, "serial_nos", &o->serial_nos, e) < 0 ||
        read_texts(top, "phones", &o->phones, e) < 0 || read_verdict(top, o, e) < 0 ||
        json_in_int(top, "delay_ms", 0, LATER_MAX_MS, &o->delay_ms, e) < 0 ||
        json_in_int(top, "retry_ms", 0, LATER_MAX_MS, &o->retry_ms, e) < 0 ||
        json_in_int(top, "times", 1, 100, &o->times, e) < 0 ||
        json_in_int(top, "batch", 1, REPORT_BATCH_MAX, &o->batch, e) < 0)
        return -1;
    if (!o->url)
        o->url = o->sandbox->options.receipts;
    if (!o->url || !http_post_is_url(o->url))
        return err_set(e, ERR_PERM, 0,
                       "\"url\" must say where to, as in http://127.0.0.1:9465/the-secret-path");
    o->has_unknown_phone = phone != NULL;
    if (phone && !number_from_text(phone, &o->of_unknown))
        return err_set(e, ERR_PERM, 0, "\"phone\" must be a number, as in +8613800138000");
    return 0;
}

/* In the order of serial_nos; those that the sandbox did not give have no message. */
static struct wanted *find_wanted(const struct order *o)
{
    size_t n = json_length(o->serial_nos);
    struct wanted *all = mem_must_alloc((n + 1) * sizeof *all);
    struct wanted *by_serial_no = NULL;
    for (size_t i = 0; i < n; i++) {
        struct wanted *twin;
        all[i].serial_no = json_string(json_at(o->serial_nos, i), &(size_t){0});
        HASH_FIND_STR(by_serial_no, all[i].serial_no, twin);
        if (!twin)
            HASH_ADD_KEYPTR(hh, by_serial_no, all[i].serial_no, strlen(all[i].serial_no), &all[i]);
    }
    for (struct message *m = o->sandbox->store.messages; m; m = m->next) {
        struct wanted *w;
        HASH_FIND_STR(by_serial_no, m->serial_no, w);
        if (w)
            w->message = m;
    }
    for (size_t i = 0; i < n; i++) {
        struct wanted *w;
        HASH_FIND_STR(by_serial_no, all[i].serial_no, w);
        all[i].message = w ? w->message : NULL;
    }
    HASH_CLEAR(hh, by_serial_no);
    return all;
}

/* What an order comes to: with report NULL it is only counted. */
static int64_t each_message(const struct order *o, struct report *report)
{
    const struct store *store = &o->sandbox->store;
    const struct verdict *verdict = o->has_verdict ? &o->verdict : NULL;
    int64_t now_us = sandbox_now_us(o->sandbox) + o->delay_ms * US_PER_MS;
    int64_t n = 0;
    for (size_t i = 0; i < json_length(o->phones); i++) {
        struct number number;
        const char *text = json_string(json_at(o->phones, i), &(size_t){0});
        struct phone_messages *of =
            number_from_text(text, &number) ? store_find(store, number.e164) : NULL;
        for (struct message *m = of ? of->messages : NULL; m; m = m->phone_next) {
            n += message_is_accepted(m);
            if (message_is_accepted(m) && report)
                report_add_message(report, m, verdict, now_us);
        }
    }
    for (struct message *m = o->phones || o->serial_nos ? NULL : store->messages; m; m = m->next) {
        n += message_is_accepted(m);
        if (message_is_accepted(m) && report)
            report_add_message(report, m, verdict, now_us);
    }
    return n;
}

static void each_wanted(const struct order *o, const struct wanted *wanted, struct report *report)
{
    int64_t now_us = sandbox_now_us(o->sandbox);
    for (size_t i = 0; i < json_length(o->serial_nos); i++) {
        if (wanted[i].message)
            report_add_message(report, wanted[i].message, o->has_verdict ? &o->verdict : NULL,
                               now_us + o->delay_ms * US_PER_MS);
        else
            report_add(report, &o->of_unknown, wanted[i].serial_no, &o->verdict, now_us);
    }
}

static int check_wanted(const struct order *o, const struct wanted *wanted, struct err *e)
{
    for (size_t i = 0; i < json_length(o->serial_nos); i++) {
        if (!wanted[i].message && !o->has_unknown_phone)
            return err_set(e, ERR_PERM, 0,
                           "\"serial_nos\" has one that the sandbox did not give: say in \"phone\" "
                           "whose it is");
    }
    return 0;
}

/* Counts first, so that an order is carried out whole or not at all. */
static int count(const struct order *o, const struct wanted *wanted, struct receipt_wait *w,
                 struct err *e)
{
    int64_t n = each_message(o, NULL) + (int64_t)json_length(o->serial_nos);
    w->callbacks = (n + o->batch - 1) / o->batch * o->times;
    w->receipts = n;
    if (n == 0)
        return err_set(e, ERR_PERM, 0, "no accepted message is one of those asked for");
    if (w->callbacks > CALLBACKS_MAX)
        return err_set(e, ERR_PERM, 0,
                       "that are %lld callbacks, more than %d: ask for a larger \"batch\" or for "
                       "fewer messages",
                       (long long)w->callbacks, CALLBACKS_MAX);
    return check_wanted(o, wanted, e);
}

/* The request waits for what comes of it, unless that is for later. */
static void carry_out(const struct order *o, const struct wanted *wanted, struct http_request *req,
                      const struct receipt_wait *counted)
{
    struct receipt_orders *orders = &o->sandbox->orders;
    struct report report = {
        .callbacks = &o->sandbox->callbacks,
        .spec = {.url = o->url,
                 .order = ++orders->last,
                 .delay_us = o->delay_ms * US_PER_MS,
                 .retry_us = o->retry_ms * US_PER_MS},
        .batch = (size_t)o->batch,
        .times = o->times,
    };
    struct receipt_wait w = *counted;
    w.order = report.spec.order;
    if (o->delay_ms > 0) {
        answer(req, 202, &w);
    } else {
        struct receipt_wait *kept = mem_must_alloc(sizeof *kept);
        *kept = w;
        kept->of = orders;
        kept->req = req;
        DL_APPEND(orders->waits, kept);
        report.spec.fn = on_callback_done;
        report.spec.arg = kept;
    }
    each_message(o, &report);
    each_wanted(o, wanted, &report);
    report_end(&report);
}

int receipt_order_take(struct sandbox *s, struct http_request *req, struct err *e)
{
    struct order o = {.sandbox = s, .retry_ms = 1000, .times = 1, .batch = REPORT_BATCH_MAX};
    struct receipt_wait counted = {0};
    size_t len;
    const char *bytes = http_body(req, &len);
    struct json *top = json_parse(bytes, len, &(struct json_limits){.max_depth = 4}, e);
    if (!top)
        return -1;
    int rc = read_order(top, &o, e);
    if (rc == 0) {
        struct wanted *wanted = find_wanted(&o);
        rc = count(&o, wanted, &counted, e);
        if (rc == 0)
            carry_out(&o, wanted, req, &counted);
        mem_free(wanted);
    }
    json_free(top);
    return rc;
}

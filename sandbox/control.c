/* The control port's paths: /, /messages, /faults, /record-lag, /stats, /receipts. */
#include "sandbox/control.h"

#include <string.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/httpd.h"
#include "common/json.h"
#include "common/text.h"
#include "sandbox/api.h"
#include "sandbox/json_out.h"
#include "sandbox/page.h"
#include "sandbox/sandbox.h"

#define JSON_TYPE "application/json"

static void reply(struct http_request *req, int status, const char *type, struct buf *body)
{
    if (body->failed)
        http_reply(req, 500, "text/plain", "out of memory\n", 14);
    else
        http_reply(req, status, type, buf_text(body), body->len);
    buf_free(body);
}

/* {"error":"one sentence"} */
static void refuse(struct http_request *req, int status, const char *sentence)
{
    struct buf body = BUF_INIT;
    buf_add_char(&body, '{');
    json_out_member(&body, "error", sentence);
    buf_add_text(&body, "}\n");
    reply(req, status, JSON_TYPE, &body);
}

/* From ?phone=; *given says whether there is one. */
static bool read_phone(struct http_request *req, bool *given, struct number *out)
{
    const char *phone = http_query(req, "phone");
    *given = phone != NULL;
    return !phone || number_from_text(phone, out);
}

static void add_if_accepted(const struct message *m, struct buf *body, bool *first)
{
    if (!message_is_accepted(m))
        return;
    if (!*first)
        buf_add_char(body, ',');
    *first = false;
    message_add_json(m, body);
}

static void get_messages(struct sandbox *s, struct http_request *req)
{
    bool given;
    struct number number;
    struct buf body = BUF_INIT;
    bool first = true;
    if (!read_phone(req, &given, &number)) {
        refuse(req, 400, "phone must be a number, as in ?phone=%2B8613800138000");
        return;
    }
    buf_add_char(&body, '[');
    if (given) {
        const struct phone_messages *of = store_find(&s->store, number.e164);
        for (const struct message *m = of ? of->messages : NULL; m; m = m->phone_next)
            add_if_accepted(m, &body, &first);
    } else {
        for (const struct message *m = s->store.messages; m; m = m->next)
            add_if_accepted(m, &body, &first);
    }
    buf_add_text(&body, "]\n");
    reply(req, 200, JSON_TYPE, &body);
}

static void delete_messages(struct sandbox *s, struct http_request *req)
{
    store_clear(&s->store);
    http_reply(req, 204, JSON_TYPE, "", 0);
}

static void post_fault(struct sandbox *s, struct http_request *req)
{
    struct err e = {0};
    size_t len;
    const char *json = http_body(req, &len);
    struct buf body = BUF_INIT;
    struct fault *f = fault_parse(json, len, &e);
    if (f && f->action[0] && !api_has_action(f->action)) {
        fault_free(f);
        refuse(req, 400, "\"action\" must be an action that the sandbox answers, as in SendSms");
        return;
    }
    if (!f || faults_add(&s->faults, f, &e) < 0) {
        fault_free(f);
        refuse(req, e.class == ERR_TEMP ? 409 : 400, e.text);
        return;
    }
    fault_add_json(f, &body);
    buf_add_char(&body, '\n');
    reply(req, 201, JSON_TYPE, &body);
}

static void get_faults(struct sandbox *s, struct http_request *req)
{
    struct buf body = BUF_INIT;
    buf_add_char(&body, '[');
    for (const struct fault *f = s->faults.list; f; f = f->next) {
        fault_add_json(f, &body);
        if (f->next)
            buf_add_char(&body, ',');
    }
    buf_add_text(&body, "]\n");
    reply(req, 200, JSON_TYPE, &body);
}

static void delete_faults(struct sandbox *s, struct http_request *req)
{
    faults_clear(&s->faults);
    http_reply(req, 204, JSON_TYPE, "", 0);
}

/* {"seconds":N}: until DescribeSendRecordList shows an SMS, from now on. */
static void post_record_lag(struct sandbox *s, struct http_request *req)
{
    size_t len;
    const char *bytes = http_body(req, &len);
    struct json *j = json_parse(bytes, len, &(struct json_limits){.max_depth = 2}, NULL);
    int64_t seconds = -1;
    bool ok =
        json_int(json_get(j, "seconds"), &seconds) && seconds >= 0 && seconds <= RECORD_LAG_MAX_S;
    json_free(j);
    if (!ok) {
        refuse(req, 400, "the body must be as in {\"seconds\":5}");
        return;
    }
    s->options.record_lag_s = seconds;
    http_reply(req, 204, JSON_TYPE, "", 0);
}

static void get_stats(struct sandbox *s, struct http_request *req)
{
    struct buf body = BUF_INIT;
    stats_add_json(&s->stats, &body);
    buf_add_char(&body, '\n');
    reply(req, 200, JSON_TYPE, &body);
}

static void get_page(struct sandbox *s, struct http_request *req)
{
    struct buf body = BUF_INIT;
    page_add(&s->store, &body);
    http_set_header(req, "Content-Security-Policy", PAGE_POLICY);
    http_set_header(req, "Cache-Control", "no-store");
    reply(req, 200, "text/html; charset=utf-8", &body);
}

/* Answered once each of its callbacks has its answer, or at once when they are for later. */
static void post_receipts(struct sandbox *s, struct http_request *req)
{
    struct err e = {0};
    if (receipt_order_take(s, req, &e) < 0)
        refuse(req, 400, e.text);
}

static void get_receipts(struct sandbox *s, struct http_request *req)
{
    const char *text = http_query(req, "order");
    int64_t order = -1;
    struct buf body = BUF_INIT;
    if (text && !text_to_int(text, 0, INT64_MAX, &order)) {
        refuse(req, 400, "order must be a number that POST /receipts gave, as in ?order=1");
        return;
    }
    callbacks_add_json(&s->callbacks, order, &body);
    buf_add_char(&body, '\n');
    reply(req, 200, JSON_TYPE, &body);
}

static const struct {
    const char *path;
    const char *method;
    void (*fn)(struct sandbox *s, struct http_request *req);
} routes[] = {
    {"/",           "GET",    get_page       },
    {"/messages",   "GET",    get_messages   },
    {"/messages",   "DELETE", delete_messages},
    {"/faults",     "POST",   post_fault     },
    {"/faults",     "GET",    get_faults     },
    {"/faults",     "DELETE", delete_faults  },
    {"/record-lag", "POST",   post_record_lag},
    {"/stats",      "GET",    get_stats      },
    {"/receipts",   "POST",   post_receipts  },
    {"/receipts",   "GET",    get_receipts   },
};

void control_on_request(void *arg, struct http_request *req)
{
    bool path_known = false;
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        if (strcmp(http_path(req), routes[i].path) != 0)
            continue;
        path_known = true;
        if (strcmp(http_method(req), routes[i].method) == 0) {
            routes[i].fn(arg, req);
            return;
        }
    }
    if (path_known)
        refuse(req, 405, "this path does not take that method");
    else
        refuse(req, 404,
               "the control port has /, /messages, /faults, /record-lag, /stats and /receipts");
}

/* Callbacks from their making to their last answer; each is on one of three lists. */
#include "sandbox/callbacks.h"

#include <string.h>
#include <utlist.h>

#include "common/buf.h"
#include "common/http_post.h"
#include "common/json.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/text.h"
#include "sandbox/json_out.h"

#define CALLBACKS_KEPT 20000
#define POSTING_MAX 16
#define TIMEOUT_S 5
#define ANSWER_SHOWN 200

enum callback_state {
    CALLBACK_WAITING,
    CALLBACK_DUE,
    CALLBACK_POSTING,
    CALLBACK_TAKEN,
    CALLBACK_REFUSED
};

struct answer {
    int status; /* 0: none came */
    char *text;
};

struct callback {
    struct callback *prev, *next;
    struct callbacks *of;
    enum callback_state state;
    int64_t id;
    struct callback_spec spec;
    char *url;
    struct buf body;
    size_t n;
    struct loop_timer *timer;
    struct http_post *post;
    struct answer answers[CALLBACK_TRIES];
    size_t tries;
};

static void post_next(struct callbacks *c);

void callbacks_init(struct callbacks *c, struct loop *l)
{
    *c = (struct callbacks){.loop = l};
}

/* What is needed no more once it has ended. */
static void release(struct callback *cb)
{
    http_post_free(cb->post);
    cb->post = NULL;
    buf_wipe(&cb->body);
    mem_free_secret(cb->url);
    cb->url = NULL;
}

static void destroy(struct callback *cb)
{
    release(cb);
    loop_timer_free(cb->timer);
    for (size_t i = 0; i < cb->tries; i++)
        mem_free(cb->answers[i].text);
    mem_free(cb);
}

static void destroy_all(struct callback **list)
{
    while (*list) {
        struct callback *cb = *list;
        DL_DELETE(*list, cb);
        destroy(cb);
    }
}

void callbacks_free(struct callbacks *c)
{
    destroy_all(&c->open);
    destroy_all(&c->due);
    destroy_all(&c->done);
}

/* {"result":0}, whatever else is in it. */
static bool is_taken(int status, const char *body, size_t len)
{
    int64_t result = -1;
    if (status != 200)
        return false;
    struct json *j = json_parse(body, len, &(struct json_limits){.max_depth = 8}, NULL);
    bool ok = j && json_int(json_get(j, "result"), &result) && result == 0;
    json_free(j);
    return ok;
}

static void keep_answer(struct callback *cb, int status, const char *body, size_t len)
{
    struct answer *a = &cb->answers[cb->tries++];
    size_t shown = text_is_utf8(body, len) ? text_utf8_cut(body, len, ANSWER_SHOWN) : 0;
    a->status = status;
    a->text = mem_must_alloc(shown + 1);
    memcpy(a->text, body, shown);
    a->text[shown] = 0;
}

/* Not from its own timer, which this frees. */
static void finish(struct callback *cb, bool taken)
{
    struct callbacks *c = cb->of;
    DL_DELETE(c->open, cb);
    DL_APPEND(c->done, cb);
    c->n_open--;
    cb->state = taken ? CALLBACK_TAKEN : CALLBACK_REFUSED;
    release(cb);
    loop_timer_free(cb->timer);
    cb->timer = NULL;
    if (++c->n_done > CALLBACKS_KEPT) {
        struct callback *oldest = c->done;
        DL_DELETE(c->done, oldest);
        destroy(oldest);
        c->n_done--;
    }
    if (cb->spec.fn)
        cb->spec.fn(cb->spec.arg, taken);
}

static void on_answer(void *arg, int status, const char *body, size_t len)
{
    struct callback *cb = arg;
    struct callbacks *c = cb->of;
    bool taken = is_taken(status, body, len);
    keep_answer(cb, status, body, len);
    http_post_free(cb->post);
    cb->post = NULL;
    c->n_posting--;
    if (taken || cb->tries == CALLBACK_TRIES) {
        finish(cb, taken);
    } else {
        cb->state = CALLBACK_WAITING;
        loop_timer_start(cb->timer, cb->spec.retry_us);
    }
    post_next(c);
}

static void post_next(struct callbacks *c)
{
    while (c->due && c->n_posting < POSTING_MAX) {
        struct callback *cb = c->due;
        DL_DELETE(c->due, cb);
        DL_APPEND(c->open, cb);
        cb->state = CALLBACK_POSTING;
        c->n_posting++;
        cb->post = http_post_start(c->loop, cb->url, buf_text(&cb->body), cb->body.len, TIMEOUT_S,
                                   on_answer, cb);
    }
}

static void on_due(void *arg)
{
    struct callback *cb = arg;
    DL_DELETE(cb->of->open, cb);
    DL_APPEND(cb->of->due, cb);
    cb->state = CALLBACK_DUE;
    post_next(cb->of);
}

void callbacks_add(struct callbacks *c, const struct callback_spec *spec, const struct buf *body,
                   size_t n)
{
    struct callback *cb = mem_must_alloc(sizeof *cb);
    *cb = (struct callback){.of = c, .id = ++c->last_id, .spec = *spec, .n = n};
    cb->url = mem_must_strdup(spec->url);
    buf_add(&cb->body, buf_text(body), body->len);
    cb->timer = loop_timer_new(c->loop, on_due, cb);
    DL_APPEND(c->open, cb);
    c->n_open++;
    loop_timer_start(cb->timer, spec->delay_us);
}

static const char *state_text(enum callback_state state)
{
    switch (state) {
    case CALLBACK_WAITING:
    case CALLBACK_DUE:
        return "waiting";
    case CALLBACK_POSTING:
        return "posting";
    case CALLBACK_TAKEN:
        return "taken";
    case CALLBACK_REFUSED:
        return "refused";
    }
    return "";
}

static void add_callback(const struct callback *cb, struct buf *out)
{
    buf_add_char(out, '{');
    json_out_int(out, "id", cb->id);
    buf_add_char(out, ',');
    json_out_int(out, "order", cb->spec.order);
    buf_add_char(out, ',');
    json_out_int(out, "receipts", (int64_t)cb->n);
    buf_add_char(out, ',');
    json_out_member(out, "state", state_text(cb->state));
    buf_add_text(out, ",\"answers\":[");
    for (size_t i = 0; i < cb->tries; i++) {
        buf_add_text(out, i > 0 ? ",{" : "{");
        json_out_int(out, "status", cb->answers[i].status);
        buf_add_char(out, ',');
        json_out_member(out, "body", cb->answers[i].text);
        buf_add_char(out, '}');
    }
    buf_add_text(out, "]}");
}

static void add_list(const struct callback *list, int64_t order, bool *first, struct buf *out)
{
    for (const struct callback *cb = list; cb; cb = cb->next) {
        if (order >= 0 && cb->spec.order != order)
            continue;
        if (!*first)
            buf_add_char(out, ',');
        *first = false;
        add_callback(cb, out);
    }
}

void callbacks_add_json(const struct callbacks *c, int64_t order, struct buf *out)
{
    bool first = true;
    buf_add_char(out, '[');
    add_list(c->done, order, &first, out);
    add_list(c->open, order, &first, out);
    add_list(c->due, order, &first, out);
    buf_add_char(out, ']');
}

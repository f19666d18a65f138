/* The messages of the sandbox in two lists, by time and by number; the oldest make room. */
#include "sandbox/store.h"

#include <string.h>
#include <utlist.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/text.h"
#include "sandbox/json_out.h"
#include "sandbox/world.h"

static const char *pack(char **room, const char *s)
{
    char *at = *room;
    size_t size = strlen(s) + 1;
    memcpy(at, s, size);
    *room += size;
    return at;
}

static size_t content_size(const struct message_content *c)
{
    size_t size = strlen(c->template_id) + strlen(c->sign_name) + strlen(c->session_context) +
                  strlen(c->app_id) + 4;
    for (size_t i = 0; i < c->n_params; i++)
        size += strlen(c->params[i]) + 1;
    return size;
}

static void remove_message(struct store *s, struct message *m)
{
    struct phone_messages *of = m->of;
    if (s->not_pulled == m)
        s->not_pulled = m->next;
    if (s->not_called == m)
        s->not_called = m->next;
    DL_DELETE(s->messages, m);
    DL_DELETE2(of->messages, m, phone_prev, phone_next);
    if (!of->messages) {
        HASH_DEL(s->phones, of); /* NOLINT(clang-analyzer-core.NullDereference): it holds of */
        mem_free(of);
    }
    mem_free(m->outcome.code);
    mem_free(m);
    s->n--;
}

struct phone_messages *store_find(const struct store *s, const char *e164)
{
    struct phone_messages *of;
    HASH_FIND_STR(s->phones, e164, of);
    return of;
}

static struct phone_messages *find_or_add(struct store *s, const char *phone)
{
    struct phone_messages *of = store_find(s, phone);
    if (of)
        return of;
    of = mem_must_alloc(sizeof *of);
    memcpy(of->phone, phone, strlen(phone) + 1);
    HASH_ADD_STR(s->phones, phone, of);
    return of;
}

struct message *store_add(struct store *s, const char *phone, const struct message_content *content,
                          const char *serial_no, const char *code, int64_t at_us)
{
    if (s->n == STORE_MAX)
        remove_message(s, s->messages);
    struct message *m = mem_must_alloc(sizeof *m + content_size(content) + strlen(code) + 1);
    char *room = (char *)(m + 1);
    m->at_us = at_us;
    m->outcome.at_us = at_us + DELIVERY_US;
    memcpy(m->serial_no, serial_no, strlen(serial_no) + 1);
    m->content.n_params = content->n_params;
    m->content.template_id = pack(&room, content->template_id);
    m->content.sign_name = pack(&room, content->sign_name);
    m->content.session_context = pack(&room, content->session_context);
    m->content.app_id = pack(&room, content->app_id);
    for (size_t i = 0; i < content->n_params; i++)
        m->content.params[i] = pack(&room, content->params[i]);
    m->code = pack(&room, code);
    m->of = find_or_add(s, phone);
    DL_APPEND(s->messages, m);
    DL_APPEND2(m->of->messages, m, phone_prev, phone_next);
    if (!s->not_pulled)
        s->not_pulled = m;
    if (!s->not_called)
        s->not_called = m;
    s->n++;
    return m;
}

void store_clear(struct store *s)
{
    while (s->messages)
        remove_message(s, s->messages);
}

bool message_is_accepted(const struct message *m)
{
    return m->serial_no[0] != 0;
}

void message_decide(struct message *m, bool failed, const char *code)
{
    if (m->reported)
        return;
    mem_free(m->outcome.code);
    m->outcome.failed = failed;
    m->outcome.code = code ? mem_must_strdup(code) : NULL;
}

const char *message_carrier_code(const struct message *m)
{
    return m->outcome.code ? m->outcome.code : OUTCOME_DELIVERED;
}

const char *message_report_status(const struct message *m)
{
    return m->outcome.failed ? "FAIL" : "SUCCESS";
}

void message_add_text(const struct message *m, struct buf *out)
{
    if (m->content.sign_name[0]) {
        buf_add_text(out, "【");
        buf_add_text(out, m->content.sign_name);
        buf_add_text(out, "】");
    }
    world_add_text(out, m->content.params, m->content.n_params);
}

void message_add_json(const struct message *m, struct buf *out)
{
    char at[TEXT_TIME_SIZE];
    struct buf text = BUF_INIT;
    message_add_text(m, &text);
    text_from_time_us(m->at_us, at);
    buf_add_char(out, '{');
    json_out_member(out, "phone", m->of->phone);
    buf_add_char(out, ',');
    json_out_member(out, "text", buf_text(&text));
    buf_add_text(out, ",\"params\":[");
    for (size_t i = 0; i < m->content.n_params; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        json_out_text(out, m->content.params[i]);
    }
    buf_add_text(out, "],");
    json_out_member(out, "template_id", m->content.template_id);
    buf_add_char(out, ',');
    json_out_member(out, "sign_name", m->content.sign_name);
    buf_add_char(out, ',');
    json_out_member(out, "session_context", m->content.session_context);
    buf_add_char(out, ',');
    json_out_member(out, "serial_no", m->serial_no);
    buf_add_char(out, ',');
    json_out_member(out, "at", at);
    if (m->converted_s > 0) {
        text_from_time_us(m->converted_s * US_PER_S, at);
        buf_add_char(out, ',');
        json_out_member(out, "converted_at", at);
    }
    buf_add_char(out, '}');
    buf_free(&text);
}

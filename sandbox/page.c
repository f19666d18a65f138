/* The page for people: a conversation a number, the newest first, each message a bubble. */
#include "sandbox/page.h"

#include <time.h>

#include "common/buf.h"
#include "sandbox/store.h"

#define MESSAGES_SHOWN 100
#define NUMBERS_SHOWN 30

static const char head[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>sendcode "
    "sandbox</title>"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
    "<noscript><meta http-equiv=\"refresh\" content=\"2\"></noscript>"
    "<style>"
    "*{box-sizing:border-box}"
    "body{margin:0;min-height:100vh;background:#d9dde3;color:#1c1c1e;"
    "font:16px/1.45 -apple-system,system-ui,\"PingFang SC\",\"Noto Sans CJK SC\",sans-serif}"
    "main{max-width:26rem;min-height:100vh;margin:0 auto;background:#fff}"
    "header{position:sticky;top:0;padding:.8rem 1rem .6rem;background:#f6f6f8;"
    "border-bottom:1px solid #d8d8dc}"
    "h1{margin:0;font-size:1.3rem}"
    "header p{margin:0;color:#66666b;font-size:.8rem}"
    "section{padding:.9rem 1rem .3rem;border-bottom:1px solid #ececef}"
    "h2{margin:0 0 .5rem;font-size:.85rem;font-weight:600;color:#66666b;text-align:center}"
    "article{margin:0 0 .7rem}"
    ".bubble{display:inline-block;max-width:88%;padding:.55rem .85rem;border-radius:1.15rem;"
    "border-bottom-left-radius:.3rem;background:#e9e9eb;overflow-wrap:anywhere}"
    "time{display:block;margin:.15rem 0 0 .6rem;color:#66666b;font-size:.72rem}"
    ".none{padding:3rem 1rem;text-align:center;color:#66666b}"
    "</style></head><body><main id=\"phone\">";

/* Fetches the page again and swaps the phone's content, so that scrolling stays. */
static const char tail[] =
    "</main><script>"
    "setInterval(async()=>{try{const r=await fetch(location.href);"
    "const d=new DOMParser().parseFromString(await r.text(),'text/html');"
    "const a=document.getElementById('phone'),b=d.getElementById('phone');"
    "if(b&&a.innerHTML!==b.innerHTML)a.innerHTML=b.innerHTML}catch(e){}},1000)"
    "</script></body></html>\n";

static void add_escaped(struct buf *out, const char *s)
{
    for (; *s; s++) {
        switch (*s) {
        case '<':
            buf_add_text(out, "&lt;");
            break;
        case '>':
            buf_add_text(out, "&gt;");
            break;
        case '&':
            buf_add_text(out, "&amp;");
            break;
        case '"':
            buf_add_text(out, "&quot;");
            break;
        case '\'':
            buf_add_text(out, "&#39;");
            break;
        default:
            buf_add_char(out, *s);
        }
    }
}

static void add_message(const struct message *m, struct buf *out)
{
    struct buf text = BUF_INIT;
    char at[32];
    time_t t = (time_t)(m->at_us / US_PER_S);
    struct tm tm;
    localtime_r(&t, &tm);
    strftime(at, sizeof at, "%m-%d %H:%M:%S", &tm);
    message_add_text(m, &text);
    buf_add_text(out, "<article><div class=\"bubble\">");
    add_escaped(out, buf_text(&text));
    buf_add_text(out, "</div><time>");
    add_escaped(out, at);
    buf_add_text(out, "</time></article>");
    buf_free(&text);
}

/* The number's messages from the newest back, as far as `room` goes. */
static void add_conversation(const struct phone_messages *of, unsigned *room, struct buf *out)
{
    buf_add_text(out, "<section><h2>");
    add_escaped(out, of->phone);
    buf_add_text(out, "</h2>");
    for (const struct message *m = of->messages->phone_prev; *room > 0; m = m->phone_prev) {
        if (message_is_accepted(m)) {
            add_message(m, out);
            (*room)--;
        }
        if (m == of->messages)
            break;
    }
    buf_add_text(out, "</section>");
}

static bool is_newest_of_its_number(const struct message *m)
{
    const struct message *newest = m->of->messages->phone_prev;
    while (newest != m && !message_is_accepted(newest))
        newest = newest->phone_prev;
    return newest == m;
}

void page_add(const struct store *s, struct buf *out)
{
    unsigned numbers = 0;
    unsigned room = MESSAGES_SHOWN;
    buf_add_text(out, head);
    buf_add_text(out, "<header><h1>Messages</h1><p>");
    buf_add_text(out, "What the sandbox accepted, the newest first</p></header>");
    for (const struct message *m = s->messages ? s->messages->prev : NULL;
         m && room > 0 && numbers < NUMBERS_SHOWN; m = m == s->messages ? NULL : m->prev) {
        if (!message_is_accepted(m) || !is_newest_of_its_number(m))
            continue;
        add_conversation(m->of, &room, out);
        numbers++;
    }
    if (numbers == 0)
        buf_add_text(out, "<p class=\"none\">No message yet.</p>");
    buf_add_text(out, tail);
}

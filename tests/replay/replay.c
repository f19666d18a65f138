/* sendcode-replay CONF SCENARIO…: runs scenarios on simulated time against the worker's pipeline.
 */
#include "tests/replay/replay.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/settings/settings.h"
#include "common/text.h"
#include "tests/replay/fake_loop.h"
#include "worker/app.h"
#include "worker/receipts.h"

void replay_fail(const struct line *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "%s:%d: ", l->path, l->number);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(EXIT_NO);
}

const char *line_word(const struct line *l, size_t i)
{
    if (i >= l->n)
        replay_fail(l, "word %zu is missing", i);
    return l->words[i];
}

const char *line_value(const struct line *l, const char *key, const char *otherwise)
{
    size_t len = strlen(key);
    for (size_t i = 1; i < l->n; i++) {
        if (strncmp(l->words[i], key, len) == 0 && l->words[i][len] == '=')
            return l->words[i] + len + 1;
    }
    return otherwise;
}

int64_t line_number(const struct line *l, const char *key, int64_t otherwise)
{
    const char *text = line_value(l, key, NULL);
    int64_t n = otherwise;
    if (text && !text_to_int(text, INT64_MIN, INT64_MAX, &n))
        replay_fail(l, "%s is not a number", key);
    return n;
}

bool line_has(const struct line *l, const char *word)
{
    for (size_t i = 1; i < l->n; i++) {
        if (strcmp(l->words[i], word) == 0)
            return true;
    }
    return false;
}

int64_t line_duration_us(const struct line *l, const char *text)
{
    char *unit;
    long n = strtol(text, &unit, 10);
    if (strcmp(unit, "ms") == 0)
        return n * US_PER_MS;
    if (strcmp(unit, "s") != 0)
        replay_fail(l, "%s is no duration (300ms, 5s)", text);
    return n * US_PER_S;
}

static void on_fatal(void *arg, const char *why)
{
    (void)arg;
    panic("fatal: %s", why);
}

struct settings *replay_load(const struct replay *r)
{
    struct buf faults = BUF_INIT;
    struct settings *s = settings_load(r->conf, APP_NEEDS, &faults);
    if (!s)
        panic("%s", buf_text(&faults));
    buf_free(&faults);
    return s;
}

void replay_start(struct replay *r)
{
    struct settings *s = replay_load(r);
    fakes_init(&r->fakes);
    health_init(&r->health);
    meters_init(&r->meters);
    r->drained = r->receipts_drained = false;
    const struct pipeline_fatal fatal = {.fn = on_fatal};
    struct fakes *f = &r->fakes;
    f->pipeline = pipeline_new(r->loop, s, &r->health, &r->meters, fatal);
    const struct ports ports = {&f->source, &f->claims, &f->sender, &f->outcomes, &f->events};
    pipeline_start(f->pipeline, &ports);
    fake_receipts_init(&r->fake_receipts, r->loop);
    r->fake_receipts.receipts = r->receipts = receipts_new(r->loop, s, &r->meters);
    receipts_start(r->receipts, &r->fake_receipts.db, &r->fake_receipts.provider,
                   &r->fake_receipts.conversions);
    fake_loop_turn(r->loop);
}

void replay_stop(struct replay *r)
{
    fake_loop_turn(r->loop);
    receipts_free(r->receipts);
    pipeline_free(r->fakes.pipeline);
    meters_free(&r->meters);
}

bool replay_run(struct replay *r, const struct line *l, const struct act *acts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(acts[i].name, l->words[0]) == 0) {
            acts[i].run(r, l);
            fake_loop_turn(r->loop);
            return true;
        }
    }
    return false;
}

static void split(struct line *l, char *text)
{
    char *rest = NULL;
    l->n = 0;
    for (char *w = strtok_r(text, " \t\n", &rest); w; w = strtok_r(NULL, " \t\n", &rest)) {
        if (l->n == WORDS_MAX)
            replay_fail(l, "more than %d words", WORDS_MAX);
        l->words[l->n++] = w;
    }
}

static void run_file(struct replay *r, const char *path)
{
    char text[2048];
    struct line l = {.path = path};
    FILE *in = fopen(path, "r");
    if (!in)
        panic("cannot read %s", path);
    r->loop = loop_new(NULL);
    fake_loop_use_clock(r->loop);
    replay_start(r);
    while (fgets(text, sizeof(text), in)) {
        l.number++;
        if (text[0] == '#' || text[0] == '\n')
            continue;
        split(&l, text);
        if (!acts_run(r, &l) && !acts_around_run(r, &l) && !acts_parked_run(r, &l) &&
            !acts_receipts_run(r, &l) && !expects_run(r, &l))
            replay_fail(&l, "unknown command %s", l.words[0]);
    }
    fclose(in);
    replay_stop(r);
    loop_free(r->loop);
}

int main(int argc, char **argv)
{
    static struct replay r;
    if (argc < 3) {
        fputs("usage: sendcode-replay CONF SCENARIO...\n", stderr);
        return EXIT_USAGE_ERROR;
    }
    setenv("TENCENT_SECRET_ID", "AKIDreplay", 1);
    setenv("TENCENT_SECRET_KEY", "replay", 1);
    setenv("SENDCODE_CODE_KEY", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
           1);
    setenv("SENDCODE_VERIFY_KEY",
           "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100", 1);
    log_set_level(LOG_FATAL);
    r.conf = argv[1];
    for (int i = 2; i < argc; i++)
        run_file(&r, argv[i]);
    return EXIT_DONE;
}

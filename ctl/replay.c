/* replay: puts dead letters back on the jobs topic, or shows which ones it would. */
#include <getopt.h>
#include <signal.h>
#include <string.h>

#include "common/err.h"
#include "common/mem.h"
#include "common/pg/pg_sync.h"
#include "common/settings/settings.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/kafka_letters.h"
#include "ctl/progress.h"
#include "ctl/replay_batch.h"

#define POLL_MS 500
#define FILL_MS 20 /* how long a batch may wait for its next letter */

struct wish {
    struct replay_wish replay;
    const char *dsn;
    bool yes;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

/* The first one ends the command after its batch, a second one at once. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* Reads to the end, a batch at a time. */
static int work(struct replay_batch *b, struct kafka_letters *from)
{
    struct progress progress;
    enum letters_got got = LETTERS_ONE;
    int code = EXIT_DONE;

    progress_start(&progress, b->to ? "replaying" : "reading", kafka_letters_total(from));
    while (code == EXIT_DONE && !interrupted && got != LETTERS_END && got != LETTERS_FAILED) {
        struct letter *l = NULL;

        got = kafka_letters_next(from, b->n > 0 ? FILL_MS : POLL_MS, &l);
        if (got == LETTERS_ONE)
            replay_batch_take(b, l);
        if (b->n == REPLAY_BATCH || got != LETTERS_ONE)
            code = replay_batch_settle(b);
        progress_show(&progress, kafka_letters_done(from));
    }
    progress_end(&progress, kafka_letters_done(from));
    replay_batch_drop(b);
    return code == EXIT_DONE && got == LETTERS_FAILED ? EXIT_UNREACHABLE : code;
}

static int work_and_tell(struct replay_batch *b, struct kafka_letters *from)
{
    int code = work(b, from);

    replay_report_print(&b->report, b->ctl, b->settings->topics.jobs, !b->to);
    if (code == EXIT_DONE && interrupted) {
        ctl_say(b->ctl, "interrupted after %zu; the same command goes on with the rest",
                b->report.put);
        code = EXIT_NO;
    }
    if (code == EXIT_DONE && !b->to && b->report.put > 0)
        ctl_say(b->ctl, "nothing is done yet: --yes does it");
    return code;
}

/* The connections of a batch; false, and *code, when one cannot be had. */
static bool connect_all(struct replay_batch *b, const struct wish *w, struct kafka_letters **from,
                        int *code)
{
    struct err e = {0};

    b->marks.db = ctl_connect(b->ctl, w->dsn, code);
    if (!b->marks.db)
        return false;
    if (pg_sync_run(b->marks.db, "set synchronous_commit = on", &e) != 0) {
        *code = ctl_statement_failed(b->ctl, b->marks.db, &e);
        return false;
    }
    *from = kafka_letters_open(b->ctl, b->settings, code);
    if (*from && w->yes)
        b->to = kafka_replay_open(b->ctl, b->settings, code);
    return *from && (b->to || !w->yes);
}

static int run_wish(const struct ctl *c, const struct wish *w)
{
    struct settings *s = ctl_settings_load(c, SETTINGS_NEED_KAFKA);
    struct replay_batch *b;
    struct kafka_letters *from = NULL;
    int code = EXIT_CONFIGURATION;

    if (!s)
        return code;
    b = mem_must_alloc(sizeof *b);
    *b = (struct replay_batch){
        .ctl = c, .settings = s, .wish = &w->replay, .marks.topic = s->topics.dead};
    if (connect_all(b, w, &from, &code)) {
        catch_signals();
        code = work_and_tell(b, from);
    }
    kafka_replay_close(b->to);
    kafka_letters_close(from);
    pg_sync_close(b->marks.db);
    replay_report_free(&b->report);
    mem_free(b);
    settings_free(s);
    return code;
}

/* Reads one option's value; 0, or the exit code of what was said. */
static int read_value(const struct ctl *c, int option, struct wish *w)
{
    struct letter_filter *f = &w->replay.filter;
    int64_t *time = option == 'f' ? &f->from_us : &f->to_us;

    switch (option) {
    case 'r':
        f->reason = optarg;
        return 0;
    case 'p':
        if (!text_to_int(optarg, 0, INT32_MAX, &f->partition))
            return ctl_usage_error(c, "--partition takes a number from 0 on");
        return 0;
    case 'f':
    case 't':
        if (!text_to_time_us(optarg, strlen(optarg), time))
            return ctl_usage_error(c, "--%s takes an RFC 3339 time, as 2026-11-24T08:00:00Z",
                                   option == 'f' ? "from" : "to");
        return 0;
    default:
        w->dsn = optarg;
        return 0;
    }
}

static int run(const struct ctl *c, int argc, char **argv)
{
    static const struct option options[] = {
        {"reason",    required_argument, NULL, 'r'},
        {"from",      required_argument, NULL, 'f'},
        {"to",        required_argument, NULL, 't'},
        {"partition", required_argument, NULL, 'p'},
        {"fresh",     no_argument,       NULL, 'n'},
        {"force",     no_argument,       NULL, 'o'},
        {"yes",       no_argument,       NULL, 'y'},
        {"dsn",       required_argument, NULL, 'd'},
        {"help",      no_argument,       NULL, 'h'},
        {NULL,        0,                 NULL, 0  }
    };
    struct wish w = {.replay.filter.from_us = INT64_MIN,
                     .replay.filter.to_us = INT64_MAX,
                     .replay.filter.partition = -1};
    int option;
    int code = 0;

    while (code == 0 && (option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (option == 'h')
            return ctl_show_help(c);
        if (option == '?' || option == ':')
            return ctl_option_error(c, option, argv);
        if (option == 'n')
            w.replay.fresh = true;
        else if (option == 'o')
            w.replay.force = true;
        else if (option == 'y')
            w.yes = true;
        else
            code = read_value(c, option, &w);
    }
    if (code != 0)
        return code;
    if (optind != argc)
        return ctl_usage_error(c, "takes no argument %s", argv[optind]);
    return run_wish(c, &w);
}

const struct command command_replay = {
    .name = "replay",
    .summary = "put dead letters back on the jobs topic",
    .help =
        "usage: sendcodectl [-c FILE] replay [OPTION…] [--yes]\n\n"
        "Puts dead letters back as the records that they were. Without --yes it only shows which:\n"
        "by reason, and what a worker with this configuration would say to them now (ok, late, or\n"
        "the rule that they still break). Each letter is put back once.\n\n"
        "  --reason REASON  a reason of sendcode_dead_letters_total, or a part of sendcode-error\n"
        "  --from TIME      letters of this time (RFC 3339, sendcode-at) or later\n"
        "  --to TIME        letters before this time\n"
        "  --partition N    letters whose record was in this partition of the jobs topic\n"
        "  --fresh          as if asked for now: sets requested_at to now and drops deadline\n"
        "  --force          also those that were put back before\n"
        "  --yes            do it\n"
        "  --dsn DSN        instead of [postgres] dsn; no password in it: PGPASSWORD\n",
    .run = run,
};

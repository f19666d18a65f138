/* enqueue: publishes one job from flags, or many from a file of JSON lines, and may follow them. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/settings/settings.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/draft.h"
#include "ctl/follow.h"
#include "ctl/kafka_events.h"
#include "ctl/kafka_jobs.h"

struct wish {
    struct draft_flags flags;
    const char *file; /* NULL: one job from flags */
    bool wait;
};

static int read_file(const struct ctl *c, const struct wish *w, const struct settings *s,
                     struct draft_list *jobs)
{
    bool is_stdin = strcmp(w->file, "-") == 0;
    FILE *in = is_stdin ? stdin : fopen(w->file, "r");
    struct buf faults = BUF_INIT;
    int code = EXIT_DONE;

    if (!in)
        return ctl_usage_error(c, "%s: %s", w->file, strerror(errno));
    draft_add_lines(jobs, s, in, is_stdin ? "stdin" : w->file, &faults);
    if (!is_stdin)
        fclose(in);
    if (faults.len > 0) {
        fputs(buf_text(&faults), stderr);
        ctl_say(c, "nothing was published");
        code = EXIT_NO;
    } else if (jobs->n == 0) {
        ctl_say(c, "%s holds no job", w->file);
        code = EXIT_NO;
    }
    buf_free(&faults);
    return code;
}

static int read_flags(const struct ctl *c, const struct wish *w, const struct settings *s,
                      struct draft_list *jobs)
{
    struct buf faults = BUF_INIT;
    int code = EXIT_DONE;

    if (draft_add_flags(jobs, s, &w->flags, &faults) != 0) {
        ctl_say(c, "%.*s", (int)strcspn(buf_text(&faults), "\n"), buf_text(&faults));
        code = EXIT_USAGE_ERROR;
    }
    buf_free(&faults);
    return code;
}

static int publish_and_follow(const struct ctl *c, const struct settings *s, bool wait,
                              const struct draft_list *jobs)
{
    struct kafka_events *ev = NULL;
    int code = EXIT_DONE;

    if (wait) {
        ev = kafka_events_open(c, s, &code);
        if (!ev)
            return code;
    }
    code = kafka_jobs_publish(c, s, jobs);
    for (size_t i = 0; i < jobs->n && code == EXIT_DONE && !wait; i++)
        printf("%s\n", jobs->items[i].job_id);
    if (code == EXIT_DONE && wait)
        code = follow_jobs(c, ev, jobs);
    kafka_events_close(ev);
    return code;
}

static int run_wish(const struct ctl *c, const struct wish *w)
{
    struct settings *s = ctl_settings_load(c, SETTINGS_NEED_KAFKA);
    struct draft_list jobs;
    int code;

    if (!s)
        return EXIT_CONFIGURATION;
    draft_list_init(&jobs);
    code = w->file ? read_file(c, w, s, &jobs) : read_flags(c, w, s, &jobs);
    if (code == EXIT_DONE)
        code = publish_and_follow(c, s, w->wait, &jobs);
    draft_list_free(&jobs);
    settings_free(s);
    return code;
}

/* Where a flag's value goes; NULL for one that is no flag of the job. */
static const char **flag_place(struct draft_flags *f, int option)
{
    switch (option) {
    case 'p':
        return &f->phone;
    case 's':
        return &f->scene;
    case 'j':
        return &f->job_id;
    case 'l':
        return &f->locale;
    case 'i':
        return &f->client_ip;
    case 'r':
        return &f->requested_at;
    case 'e':
        return &f->deadline;
    default:
        return NULL;
    }
}

static int run(const struct ctl *c, int argc, char **argv)
{
    static const struct option options[] = {
        {"phone",        required_argument, NULL, 'p'},
        {"scene",        required_argument, NULL, 's'},
        {"job-id",       required_argument, NULL, 'j'},
        {"locale",       required_argument, NULL, 'l'},
        {"client-ip",    required_argument, NULL, 'i'},
        {"requested-at", required_argument, NULL, 'r'},
        {"deadline",     required_argument, NULL, 'e'},
        {"file",         required_argument, NULL, 'f'},
        {"wait",         no_argument,       NULL, 'w'},
        {"help",         no_argument,       NULL, 'h'},
        {NULL,           0,                 NULL, 0  }
    };
    struct wish w = {0};
    bool flags = false;
    int option;

    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        const char **place = flag_place(&w.flags, option);
        if (place) {
            *place = optarg;
            flags = true;
        } else if (option == 'f') {
            w.file = optarg;
        } else if (option == 'w') {
            w.wait = true;
        } else if (option == 'h') {
            return ctl_show_help(c);
        } else {
            return ctl_option_error(c, option, argv);
        }
    }
    if (optind != argc)
        return ctl_usage_error(c, "takes no argument %s", argv[optind]);
    if (w.file && flags)
        return ctl_usage_error(c, "--file and the flags of one job exclude each other");
    if (!w.file && (!w.flags.phone || !w.flags.scene))
        return ctl_usage_error(c, "needs --phone and --scene, or --file");
    return run_wish(c, &w);
}

const struct command command_enqueue = {
    .name = "enqueue",
    .summary = "publish one job, or a file of jobs, and follow them",
    .help =
        "usage: sendcodectl [-c FILE] enqueue --phone PHONE --scene SCENE [OPTION…]\n"
        "       sendcodectl [-c FILE] enqueue --file FILE|- [--wait]\n\n"
        "Publishes to the jobs topic, after holding each job against the same rules as the\n"
        "worker: one bad job and nothing is published. Prints the job_ids.\n\n"
        "  --phone PHONE        + and 8 to 15 digits\n"
        "  --scene SCENE        one that is configured\n"
        "  --job-id ID          else a UUIDv7 is made\n"
        "  --locale LOCALE      picks the scene's settings for it\n"
        "  --client-ip ADDRESS  of the end user\n"
        "  --requested-at TIME  RFC 3339; else now\n"
        "  --deadline TIME      RFC 3339; else the scene's send_within\n"
        "  --file FILE          JSON lines, - for standard input; v, job_id and requested_at are\n"
        "                       put in where they are missing\n"
        "  --wait               print each state until the end; exit code 1 unless all were sent\n",
    .run = run,
};

/* sendcode-worker: options, then app_run. Only main exits. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "common/buf.h"
#include "common/kafka/kafka_conf.h"
#include "common/log.h"
#include "common/settings/settings.h"
#include "worker/app.h"

/* For librdkafka, PostgreSQL, the admin pages and the loop; a cluster of a dozen brokers included.
 */
#define OPEN_FILES_BESIDE_REQUESTS 64

static const char usage[] =
    "usage: sendcode-worker -c FILE [--check-config | --dump-config]\n"
    "Takes send-code jobs from Kafka, sends the codes through Tencent Cloud SMS and keeps the\n"
    "record in PostgreSQL. Runs in the foreground and logs to stderr.\n"
    "  -c, --config FILE   the configuration (see etc/sendcode.conf)\n"
    "      --check-config  reads and checks it, says what is wrong, and exits: 0 or 78\n"
    "      --dump-config   prints it as it takes effect, secrets masked, and exits\n"
    "  -h, --help          prints this\n"
    "  -V, --version       prints the version\n"
    "SIGTERM ends it orderly, SIGHUP reads the configuration again.\n";

enum mode { MODE_RUN, MODE_CHECK, MODE_DUMP };

struct options {
    const char *config;
    enum mode mode;
    int exit_now; /* an exit code, or -1 */
};

static struct options read_options(int argc, char **argv)
{
    static const struct option longs[] = {
        {"config",       required_argument, NULL, 'c'},
        {"check-config", no_argument,       NULL, 'k'},
        {"dump-config",  no_argument,       NULL, 'd'},
        {"help",         no_argument,       NULL, 'h'},
        {"version",      no_argument,       NULL, 'V'},
        {NULL,           0,                 NULL, 0  },
    };
    struct options o = {.exit_now = -1};
    int c;
    while ((c = getopt_long(argc, argv, "c:hV", longs, NULL)) != -1) {
        if (c == 'c') {
            o.config = optarg;
        } else if (c == 'k') {
            o.mode = MODE_CHECK;
        } else if (c == 'd') {
            o.mode = MODE_DUMP;
        } else if (c == 'h') {
            fputs(usage, stdout);
            o.exit_now = EXIT_DONE;
        } else if (c == 'V') {
            puts("sendcode-worker " SENDCODE_VERSION);
            o.exit_now = EXIT_DONE;
        } else {
            o.exit_now = EXIT_USAGE_ERROR;
        }
    }
    if (o.exit_now < 0 && (optind < argc || !o.config)) {
        fputs(o.config ? "sendcode-worker: takes options only\n"
                       : "sendcode-worker: -c FILE is missing\n",
              stderr);
        fputs(usage, stderr);
        o.exit_now = EXIT_USAGE_ERROR;
    }
    return o;
}

/* Those that come while the program starts wait until the loop watches them. */
static void hold_signals(void)
{
    sigset_t watched;
    sigemptyset(&watched);
    sigaddset(&watched, SIGHUP);
    sigaddset(&watched, SIGTERM);
    sigaddset(&watched, SIGINT);
    sigprocmask(SIG_BLOCK, &watched, NULL);
}

/* Codes and keys are in this memory: no core file. */
static void forbid_cores(void)
{
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        fputs("sendcode-worker: core files cannot be forbidden\n", stderr);
}

/* As many files as we may open; too few are said before jobs suffer from it. */
static void check_open_files(const struct settings *s)
{
    struct rlimit limit;
    rlim_t needed = (rlim_t)s->worker.in_flight + OPEN_FILES_BESIDE_REQUESTS;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur < needed)
        log_warn("too few files may be open: raise ulimit -n, or lower [worker] in_flight",
                 LI("may_be_open", (int64_t)limit.rlim_cur), LI("needed", (int64_t)needed));
}

static struct settings *load(const char *path)
{
    struct buf faults = BUF_INIT;
    struct settings *s = settings_load_checked(path, APP_NEEDS, kafka_conf_check, &faults);
    if (!s)
        fputs(buf_text(&faults), stderr);
    buf_free(&faults);
    return s;
}

int main(int argc, char **argv)
{
    struct options o = read_options(argc, argv);
    if (o.exit_now >= 0)
        return o.exit_now;
    hold_signals();
    forbid_cores();
    struct settings *s = load(o.config);
    if (!s)
        return EXIT_CONFIGURATION;
    if (o.mode == MODE_RUN) {
        check_open_files(s);
        return app_run(o.config, s);
    }
    if (o.mode == MODE_DUMP) {
        struct buf out = BUF_INIT;
        settings_dump(s, &out);
        fputs(buf_text(&out), stdout);
        buf_free(&out);
    } else {
        printf("%s: the configuration is good\n", o.config);
    }
    settings_free(s);
    return EXIT_DONE;
}

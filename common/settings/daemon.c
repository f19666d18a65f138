/* -c FILE, --check-config, --dump-config, --help, --version; then the daemon itself. */
#include "common/settings/daemon.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "common/buf.h"
#include "common/streams.h"

enum mode { MODE_RUN, MODE_CHECK, MODE_DUMP };

struct options {
    const char *config;
    enum mode mode;
    int exit_now; /* an exit code, or -1 */
};

static void print_usage(const struct daemon *d, FILE *out)
{
    fprintf(out,
            "usage: %s -c FILE [--check-config | --dump-config]\n"
            "%s"
            "  -c, --config FILE   the configuration (see etc/sendcode.conf)\n"
            "      --check-config  reads and checks it, says what is wrong, and exits: 0 or 78\n"
            "      --dump-config   prints it as it takes effect, secrets masked, and exits\n"
            "  -h, --help          prints this\n"
            "  -V, --version       prints the version\n"
            "%s",
            d->name, d->about, d->signals);
}

static struct options read_options(const struct daemon *d, int argc, char **argv)
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
            print_usage(d, stdout);
            o.exit_now = EXIT_DONE;
        } else if (c == 'V') {
            printf("%s %s\n", d->name, d->version);
            o.exit_now = EXIT_DONE;
        } else {
            o.exit_now = EXIT_USAGE_ERROR;
        }
    }
    if (o.exit_now < 0 && (optind < argc || !o.config)) {
        fprintf(stderr, "%s: %s\n", d->name,
                o.config ? "takes options only" : "-c FILE is missing");
        print_usage(d, stderr);
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

/* Secrets are in this memory: no core file. */
static void forbid_cores(const struct daemon *d)
{
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        fprintf(stderr, "%s: core files cannot be forbidden\n", d->name);
}

static struct settings *load(const struct daemon *d, const char *path)
{
    struct buf faults = BUF_INIT;
    struct settings *s = settings_load_checked(path, d->needs, d->check, &faults);
    if (!s)
        fputs(buf_text(&faults), stderr);
    buf_free(&faults);
    return s;
}

int daemon_main(const struct daemon *d, int argc, char **argv)
{
    streams_open_missing();
    hold_signals();
    struct options o = read_options(d, argc, argv);
    if (o.exit_now >= 0)
        return o.exit_now;
    forbid_cores(d);
    struct settings *s = load(d, o.config);
    if (!s)
        return EXIT_CONFIGURATION;
    if (o.mode == MODE_RUN)
        return d->run(o.config, s);
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

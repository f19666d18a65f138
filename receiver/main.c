/* sendcode-receiver: options, then receiver_run. Only main exits. */
#include <getopt.h>
#include <stdio.h>
#include <sys/resource.h>

#include "common/buf.h"
#include "common/settings/settings.h"
#include "receiver/receiver.h"

static const char usage[] =
    "usage: sendcode-receiver -c FILE [--check-config | --dump-config]\n"
    "Takes Tencent Cloud's status callbacks over HTTP and stores them in PostgreSQL, for workers "
    "to\n"
    "join to their jobs. Runs in the foreground and logs to stderr.\n"
    "  -c, --config FILE   the configuration (see etc/sendcode.conf)\n"
    "      --check-config  reads and checks it, says what is wrong, and exits: 0 or 78\n"
    "      --dump-config   prints it as it takes effect, secrets masked, and exits\n"
    "  -h, --help          prints this\n"
    "  -V, --version       prints the version\n"
    "SIGTERM ends it orderly.\n";

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
            puts("sendcode-receiver " SENDCODE_VERSION);
            o.exit_now = EXIT_DONE;
        } else {
            o.exit_now = EXIT_USAGE_ERROR;
        }
    }
    if (o.exit_now < 0 && (optind < argc || !o.config)) {
        fputs(o.config ? "sendcode-receiver: takes options only\n"
                       : "sendcode-receiver: -c FILE is missing\n",
              stderr);
        fputs(usage, stderr);
        o.exit_now = EXIT_USAGE_ERROR;
    }
    return o;
}

/* The secret path is in this memory: no core file. */
static void forbid_cores(void)
{
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        fputs("sendcode-receiver: core files cannot be forbidden\n", stderr);
}

static struct settings *load(const char *path)
{
    struct buf faults = BUF_INIT;
    struct settings *s = settings_load(path, RECEIVER_NEEDS, &faults);
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
    forbid_cores();
    struct settings *s = load(o.config);
    if (!s)
        return EXIT_CONFIGURATION;
    if (o.mode == MODE_RUN)
        return receiver_run(s);
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

/* sendcode-worker: options, then app_run. Only main exits. */
#include <sys/resource.h>

#include "common/kafka/kafka_conf.h"
#include "common/log.h"
#include "common/settings/daemon.h"
#include "worker/app.h"

/* For librdkafka, PostgreSQL, the admin pages and the loop; a cluster of a dozen brokers included.
 */
#define OPEN_FILES_BESIDE_REQUESTS 64

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

static int run(const char *config_path, struct settings *s)
{
    check_open_files(s);
    return app_run(config_path, s);
}

int main(int argc, char **argv)
{
    static const struct daemon worker = {
        .name = "sendcode-worker",
        .version = SENDCODE_VERSION,
        .about = "Takes send-code jobs from Kafka, sends the codes through Tencent Cloud SMS and "
                 "keeps the\n"
                 "record in PostgreSQL. Runs in the foreground and logs to stderr.\n",
        .signals = "SIGTERM ends it orderly, SIGHUP reads the configuration again.\n",
        .needs = APP_NEEDS,
        .check = kafka_conf_check,
        .run = run,
    };
    return daemon_main(&worker, argc, argv);
}

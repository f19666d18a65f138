/* sendcode-receiver: options, then receiver_run. Only main exits. */
#include "common/settings/daemon.h"
#include "receiver/receiver.h"

static int run(const char *config_path, struct settings *s)
{
    (void)config_path; /* nothing is read again */
    return receiver_run(s);
}

int main(int argc, char **argv)
{
    static const struct daemon receiver = {
        .name = "sendcode-receiver",
        .version = SENDCODE_VERSION,
        .about = "Takes Tencent Cloud's status callbacks over HTTP and stores them in PostgreSQL, "
                 "for workers to\n"
                 "join to their jobs. Runs in the foreground and logs to stderr.\n",
        .signals = "SIGTERM ends it orderly.\n",
        .needs = RECEIVER_NEEDS,
        .run = run,
    };
    return daemon_main(&receiver, argc, argv);
}

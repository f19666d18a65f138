/* The worker put together: settings, loop, adapters, pipeline, signals. */
#ifndef SENDCODE_WORKER_APP_H
#define SENDCODE_WORKER_APP_H

#include "common/base.h"

struct settings;

/*
 * Runs until SIGTERM or SIGINT has been obeyed; gives the exit code. Takes over `settings`, which
 * were read from config_path (read again on SIGHUP).
 */
int app_run(const char *config_path, struct settings *settings);

#define APP_NEEDS                                                                                  \
    (SETTINGS_NEED_KAFKA | SETTINGS_NEED_POSTGRES | SETTINGS_NEED_TENCENT |                        \
     SETTINGS_NEED_CODE_KEY | SETTINGS_NEED_VERIFY_KEY)

#endif

/*
 * What the mains of daemons share: the command line about one configuration, and a process whose
 * memory holds secrets and whose signals wait until they are watched.
 */
#ifndef SENDCODE_COMMON_SETTINGS_DAEMON_H
#define SENDCODE_COMMON_SETTINGS_DAEMON_H

#include "common/settings/settings.h"

struct daemon {
    const char *name;         /* of the program */
    const char *version;      /* for --version */
    const char *about;        /* of --help: lines on what it does */
    const char *signals;      /* of --help: lines on what ends it */
    unsigned needs;           /* SETTINGS_NEED_* */
    settings_check_fn *check; /* as for settings_load_checked; may be NULL */
    /* Runs until it is to end; returns the exit code. Frees the settings. */
    int (*run)(const char *config_path, struct settings *s);
};

/* Reads the options, does what they say, and returns the exit code. */
int daemon_main(const struct daemon *d, int argc, char **argv);

#endif

/*
 * What the commands of sendcodectl share: settings, connections, and how failures become a sentence
 * on stderr and an exit code. A command is one file; commands.h lists them.
 */
#ifndef SENDCODE_CTL_CTL_H
#define SENDCODE_CTL_CTL_H

#include "common/base.h"

struct err;
struct pg_sync;
struct settings;

struct ctl {
    const char *config;  /* -c FILE; NULL: the environment alone */
    const char *command; /* for messages */
    const char *help;    /* the command's --help */
};

/* NULL when the configuration is at fault; that is said then, and the exit code is 78. */
NODISCARD struct settings *ctl_settings_load(const struct ctl *c, unsigned needs);

/*
 * To `dsn` (--dsn, which may hold no password, as argv is no secret), or where it is NULL to the
 * settings' own. On failure says so and returns NULL with the exit code in *code.
 */
NODISCARD struct pg_sync *ctl_connect(const struct ctl *c, const char *dsn, int *code);

/* Says what a statement's failure means and returns the exit code for it. */
int ctl_statement_failed(const struct ctl *c, const struct pg_sync *s, const struct err *e);

/* Prints "sendcodectl COMMAND: sentence" on stderr. */
PRINTF_LIKE(2, 3) void ctl_say(const struct ctl *c, const char *fmt, ...);

/* The same, points to --help, and returns 64. */
PRINTF_LIKE(2, 3) int ctl_usage_error(const struct ctl *c, const char *fmt, ...);

/* For getopt's '?' and ':': names the option at fault and returns 64. */
int ctl_option_error(const struct ctl *c, int answer, char *const *argv);

/*
 * Reads the options of a command that has only --dsn and --help. False when the command is to end
 * now, with *code; else optind stands at its arguments.
 */
NODISCARD bool ctl_database_options(const struct ctl *c, int argc, char **argv, const char **dsn,
                                    int *code);

/* Prints --help; returns 0. */
int ctl_show_help(const struct ctl *c);

#endif

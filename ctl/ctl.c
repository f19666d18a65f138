/* Settings, connections and failures, alike for all commands. */
#include "ctl/ctl.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/pg/pg.h"
#include "common/pg/pg_sync.h"
#include "common/settings/settings.h"
#include "common/settings/settings_check.h"

#define CONNECT_TIMEOUT_S 10

static void say(const struct ctl *c, const char *fmt, va_list args)
{
    fprintf(stderr, "sendcodectl %s: ", c->command);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
}

void ctl_say(const struct ctl *c, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say(c, fmt, args);
    va_end(args);
}

int ctl_usage_error(const struct ctl *c, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say(c, fmt, args);
    va_end(args);
    fprintf(stderr, "see: sendcodectl %s --help\n", c->command);
    return EXIT_USAGE_ERROR;
}

int ctl_option_error(const struct ctl *c, int answer, char *const *argv)
{
    const char *option = argv[optind - 1];

    if (answer == ':')
        return ctl_usage_error(c, "%s needs a value", option);
    return ctl_usage_error(c, "%s is no option of this command", option);
}

int ctl_show_help(const struct ctl *c)
{
    fputs(c->help, stdout);
    return EXIT_DONE;
}

bool ctl_database_options(const struct ctl *c, int argc, char **argv, const char **dsn, int *code)
{
    static const struct option options[] = {
        {"dsn",  required_argument, NULL, 'd'},
        {"help", no_argument,       NULL, 'h'},
        {NULL,   0,                 NULL, 0  }
    };
    int option;

    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (option == 'd') {
            *dsn = optarg;
            continue;
        }
        *code = option == 'h' ? ctl_show_help(c) : ctl_option_error(c, option, argv);
        return false;
    }
    return true;
}

struct settings *ctl_settings_load(const struct ctl *c, unsigned needs)
{
    struct buf faults = BUF_INIT;
    struct settings *s = settings_load(c->config, needs, &faults);

    if (!s)
        fputs(buf_text(&faults), stderr);
    buf_free(&faults);
    return s;
}

struct pg_sync *ctl_connect(const struct ctl *c, const char *dsn, int *code)
{
    struct settings *s = NULL;
    struct pg_sync *db;
    struct err e = {0};

    *code = EXIT_CONFIGURATION;
    if (dsn && check_dsn(dsn)) {
        *code = ctl_usage_error(c, "--dsn: expected %s", check_dsn(dsn));
        return NULL;
    }
    if (!dsn) {
        s = ctl_settings_load(c, SETTINGS_NEED_POSTGRES);
        if (!s)
            return NULL;
        dsn = s->postgres.dsn;
    }
    db = pg_sync_open(dsn, "sendcodectl", CONNECT_TIMEOUT_S, &e);
    settings_free(s);
    if (!db) {
        ctl_say(c, "%s", e.text);
        if (e.class == ERR_TEMP)
            *code = EXIT_UNREACHABLE;
    }
    return db;
}

int ctl_statement_failed(const struct ctl *c, const struct pg_sync *s, const struct err *e)
{
    if (e->class == ERR_TEMP) {
        ctl_say(c, "%s", e->text);
        return EXIT_UNREACHABLE;
    }
    switch (pg_refusal_of(pg_sync_sqlstate(s))) {
    case PG_REFUSAL_SCHEMA:
        ctl_say(c,
                "the database's schema is missing or older than this program needs: run "
                "sendcodectl migrate (%s)",
                e->text);
        return EXIT_CONFIGURATION;
    case PG_REFUSAL_RIGHTS:
        ctl_say(c, "the database role of the DSN may not do this: %s", e->text);
        return EXIT_CONFIGURATION;
    case PG_REFUSAL_OTHER:
        break;
    }
    ctl_say(c, "%s", e->text);
    return EXIT_NO;
}

/* unlock: gives a phone its tries back, in every scene. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/domain/phone.h"
#include "common/err.h"
#include "common/pg/pg_sync.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"

static int unlock(const struct ctl *c, struct pg_sync *db, const char *phone)
{
    struct err e = {0};
    struct pg_sync_rows *rows = pg_sync_exec(db, "select sendcode.unlock($1)", &phone, 1, &e);

    if (!rows)
        return ctl_statement_failed(c, db, &e);
    printf("unlocked scenes: %s\n", pg_sync_cell(rows, 0, 0));
    pg_sync_rows_free(rows);
    return EXIT_DONE;
}

static int run(const struct ctl *c, int argc, char **argv)
{
    const char *dsn = NULL;
    struct pg_sync *db;
    int code;

    if (!ctl_database_options(c, argc, argv, &dsn, &code))
        return code;
    if (argc - optind != 1 || !phone_is_valid(argv[optind], strlen(argv[optind])))
        return ctl_usage_error(c, "takes a phone, + and 8 to 15 digits");
    db = ctl_connect(c, dsn, &code);
    if (!db)
        return code;
    code = unlock(c, db, argv[optind]);
    pg_sync_close(db);
    return code;
}

const struct command command_unlock = {
    .name = "unlock",
    .summary = "give a phone its tries back",
    .help = "usage: sendcodectl [-c FILE] unlock [--dsn DSN] PHONE\n\n"
            "Clears the counts of wrong tries of the phone, in every scene.\n",
    .run = run,
};

/* timeline: what happened to a job, or to all jobs of a phone, in order. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/pg/pg_sync.h"
#include "common/text.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/table.h"

static int show(const struct ctl *c, struct pg_sync *db, const char *what)
{
    struct err e = {0};
    struct pg_sync_rows *rows = pg_sync_exec(
        db,
        "select to_char(at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') as at,"
        " job_id, what, detail from sendcode.timeline($1)",
        &what, 1, &e);
    int code = EXIT_DONE;

    if (!rows)
        return ctl_statement_failed(c, db, &e);
    if (pg_sync_count(rows) > 0) {
        table_print(rows);
    } else {
        ctl_say(c, "the database knows nothing of that phone or job");
        code = EXIT_NO;
    }
    pg_sync_rows_free(rows);
    return code;
}

static int run(const struct ctl *c, int argc, char **argv)
{
    const char *dsn = NULL;
    struct pg_sync *db;
    int code;

    if (!ctl_database_options(c, argc, argv, &dsn, &code))
        return code;
    if (argc - optind != 1 || !text_is_utf8(argv[optind], strlen(argv[optind])))
        return ctl_usage_error(c, "takes a phone or a job_id");
    db = ctl_connect(c, dsn, &code);
    if (!db)
        return code;
    code = show(c, db, argv[optind]);
    pg_sync_close(db);
    return code;
}

const struct command command_timeline = {
    .name = "timeline",
    .summary = "what happened to a job, or to all jobs of a phone",
    .help =
        "usage: sendcodectl [-c FILE] timeline [--dsn DSN] PHONE|JOB_ID\n\n"
        "Prints a line for each thing that happened, oldest first, times in UTC. Exit code 1 if\n"
        "nothing is known.\n",
    .run = run,
};

/* erase: takes a phone out of the database, and says what is left elsewhere, and until when. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/domain/phone.h"
#include "common/err.h"
#include "common/pg/pg_sync.h"
#include "common/settings/settings.h"
#include "common/text.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/kafka_retention.h"
#include "ctl/table.h"

struct wish {
    const char *phone;
    const char *dsn;
    bool yes;
};

static void print_topic(enum kafka_topic kind, const struct kafka_retention *r)
{
    static const char *const holds[] = {
        [TOPIC_JOBS] = "its jobs, with the whole number",
        [TOPIC_DEAD] = "its dead letters, with the whole number where the record had it",
        [TOPIC_EVENTS] = "its events: the job_ids and the masked number",
    };
    static const char *const made[] = {
        [TOPIC_JOBS] = "72 h", [TOPIC_DEAD] = "72 h", [TOPIC_EVENTS] = "7 days"};
    char until[TEXT_TIME_SIZE];

    printf("%s: %s, ", r->topic, holds[kind]);
    if (!r->known) {
        printf("for as long as the topic keeps them (Kafka did not say; migrate --topics makes"
               " it %s and a segment)\n",
               made[kind]);
    } else if (r->kept_ms < 0) {
        printf("for ever: the topic's retention.ms or cleanup.policy says so\n");
    } else {
        text_from_time_us(clock_wall_us() + r->kept_ms * US_PER_MS, until);
        printf("until %s at the latest (retention.ms and segment.ms)\n", until);
    }
}

/* What no statement in PostgreSQL reaches. */
static void print_rest(const struct ctl *c, const struct settings *s)
{
    struct kafka_retention topics[TOPIC_KINDS];

    kafka_retention_ask(c, s, topics);
    printf("\nThese remain, if they were there; Kafka forgets by retention alone:\n");
    for (int kind = 0; kind < TOPIC_KINDS; kind++)
        print_topic((enum kafka_topic)kind, &topics[kind]);
    printf("PostgreSQL's WAL, standbys and backups: the whole number, until they are replaced\n"
           "workers' logs: job_ids and the masked number\n"
           "Tencent and the carrier: what was sent, for as long as they keep it\n");
}

static void print_places(const struct ctl *c, const struct pg_sync_rows *rows, bool yes)
{
    int64_t sum = 0;

    for (int i = 0; i < pg_sync_count(rows); i++) {
        int64_t n = 0;
        if (text_to_int(pg_sync_cell(rows, i, 1), 0, INT64_MAX, &n))
            sum += n;
    }
    table_print(rows);
    printf("%s: %" PRId64 " rows\n", yes ? "erased" : "would be erased", sum);
    fflush(stdout);
    if (sum == 0)
        ctl_say(c, "the database has nothing of that phone");
}

/* A job that is not decided is no failure of the database's. */
static int erase_failed(const struct ctl *c, const struct pg_sync *db, const struct err *e)
{
    if (strcmp(pg_sync_sqlstate(db), "55006") != 0)
        return ctl_statement_failed(c, db, e);
    ctl_say(c, "nothing is done, a job of this phone is not decided yet: try again when "
               "sendcodectl timeline shows that its jobs have ended");
    return EXIT_NO;
}

/* Does it, and without --yes takes it back: so it shows exactly what would be done. */
static int erase(const struct ctl *c, struct pg_sync *db, const struct wish *w)
{
    const char *end = w->yes ? "commit" : "rollback";
    struct err e = {0};
    struct pg_sync_rows *rows = NULL;

    if (pg_sync_run(db, "begin; set local synchronous_commit = on", &e) == 0)
        rows = pg_sync_exec(db, "select place, rows from sendcode.erase($1)", &w->phone, 1, &e);
    if (!rows)
        return erase_failed(c, db, &e);
    if (pg_sync_run(db, end, &e) != 0) {
        pg_sync_rows_free(rows);
        return ctl_statement_failed(c, db, &e);
    }
    print_places(c, rows, w->yes);
    pg_sync_rows_free(rows);
    return EXIT_DONE;
}

static int run_wish(const struct ctl *c, const struct wish *w)
{
    struct settings *s = ctl_settings_load(c, w->dsn ? 0 : SETTINGS_NEED_POSTGRES);
    struct pg_sync *db;
    int code;

    if (!s)
        return EXIT_CONFIGURATION;
    db = ctl_connect(c, w->dsn ? w->dsn : s->postgres.dsn, &code);
    if (db) {
        code = erase(c, db, w);
        pg_sync_close(db);
    }
    if (code == EXIT_DONE)
        print_rest(c, s);
    fflush(stdout);
    if (code == EXIT_DONE && !w->yes)
        ctl_say(c, "nothing is done yet: --yes does it, and nothing brings it back");
    settings_free(s);
    return code;
}

static int run(const struct ctl *c, int argc, char **argv)
{
    static const struct option options[] = {
        {"yes",  no_argument,       NULL, 'y'},
        {"dsn",  required_argument, NULL, 'd'},
        {"help", no_argument,       NULL, 'h'},
        {NULL,   0,                 NULL, 0  }
    };
    struct wish w = {0};
    int option;

    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        switch (option) {
        case 'y':
            w.yes = true;
            break;
        case 'd':
            w.dsn = optarg;
            break;
        case 'h':
            return ctl_show_help(c);
        default:
            return ctl_option_error(c, option, argv);
        }
    }
    if (argc - optind != 1 || !phone_is_valid(argv[optind], strlen(argv[optind])))
        return ctl_usage_error(c, "takes a phone, + and 8 to 15 digits");
    w.phone = argv[optind];
    return run_wish(c, &w);
}

const struct command command_erase = {
    .name = "erase",
    .summary = "take a phone out of the database for good",
    .help =
        "usage: sendcodectl [-c FILE] erase [--yes] [--dsn DSN] PHONE\n\n"
        "Puts a random pseudonym in place of the phone wherever the database has it, so that\n"
        "jobs and accounts stay countable and nobody can tell whose they were. Needs the rights "
        "of\n"
        "the schema's owner. Without --yes it only shows how many rows of which table. Says what\n"
        "remains in Kafka and elsewhere, and until when.\n\n"
        "  --yes      do it; nothing brings it back\n"
        "  --dsn DSN  instead of [postgres] dsn; no password in it: PGPASSWORD\n",
    .run = run,
};

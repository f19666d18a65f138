/*
 * migrate: brings the schema to the version that this program knows, each file in a transaction of
 * its own, under an advisory lock that a second migrate waits for; never backwards.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/crypto.h"
#include "common/err.h"
#include "common/pg/pg_sync.h"
#include "common/settings/settings.h"
#include "common/text.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/migrations.h"
#include "ctl/topics.h"

#define PARTITIONS_MAX 10000
#define LOCK "select pg_advisory_lock(7302961)"

static void sha256_hex(const struct migration *m, char out[SHA256_HEX_SIZE])
{
    uint8_t digest[SHA256_SIZE];

    crypto_sha256(m->sql, m->len, digest);
    crypto_hex(digest, out);
}

/* Compares one applied migration with what the program knows; 0 when they are the same. */
static int check_applied(const struct ctl *c, size_t i, const char *version, const char *sha256)
{
    char known[SHA256_HEX_SIZE];
    int64_t number = 0;

    if (!text_to_int(version, 1, INT32_MAX, &number) || number > (int64_t)n_migrations) {
        ctl_say(c,
                "the database's schema has version %s, this program knows %zu: use the newer "
                "sendcodectl, migrate never goes backwards",
                version, n_migrations);
        return EXIT_CONFIGURATION;
    }
    if (number != (int64_t)i + 1) {
        ctl_say(c, "sendcode.schema_migration has no row for version %zu: mend it by hand", i + 1);
        return EXIT_CONFIGURATION;
    }
    sha256_hex(&migrations[i], known);
    if (strcmp(sha256, known) != 0) {
        ctl_say(c,
                "migration %04d_%s was applied with another content than this program has: use "
                "the sendcodectl that belongs to this database",
                migrations[i].version, migrations[i].name);
        return EXIT_CONFIGURATION;
    }
    return EXIT_DONE;
}

/* How many migrations the database has, in *applied. */
static int read_applied(const struct ctl *c, struct pg_sync *db, size_t *applied)
{
    struct err e = {0};
    struct pg_sync_rows *rows;
    bool there;
    int code = EXIT_DONE;

    *applied = 0;
    rows = pg_sync_exec(db, "select to_regclass('sendcode.schema_migration')", NULL, 0, &e);
    if (!rows)
        return ctl_statement_failed(c, db, &e);
    there = pg_sync_cell(rows, 0, 0) != NULL;
    pg_sync_rows_free(rows);
    if (!there)
        return EXIT_DONE;
    rows = pg_sync_exec(
        db, "select version, encode(sha256, 'hex') from sendcode.schema_migration order by version",
        NULL, 0, &e);
    if (!rows)
        return ctl_statement_failed(c, db, &e);
    *applied = (size_t)pg_sync_count(rows);
    for (size_t i = *applied; i-- > 0 && code == EXIT_DONE;)
        code = check_applied(c, i, pg_sync_cell(rows, (int)i, 0), pg_sync_cell(rows, (int)i, 1));
    pg_sync_rows_free(rows);
    return code;
}

static int note_applied(struct pg_sync *db, const struct migration *m, struct err *e)
{
    char version[16];
    char sha256[SHA256_HEX_SIZE];
    const char *const params[] = {version, m->name, sha256};
    struct pg_sync_rows *rows;

    snprintf(version, sizeof version, "%d", m->version);
    sha256_hex(m, sha256);
    rows = pg_sync_exec(db,
                        "insert into sendcode.schema_migration (version, name, sha256) values "
                        "($1::int, $2, decode($3, 'hex'))",
                        params, ARRAY_LEN(params), e);
    pg_sync_rows_free(rows);
    return rows ? 0 : -1;
}

static int apply(const struct ctl *c, struct pg_sync *db, const struct migration *m)
{
    struct err e = {0};

    if (pg_sync_run(db, "begin", &e) == 0 && pg_sync_run(db, m->sql, &e) == 0 &&
        note_applied(db, m, &e) == 0 && pg_sync_run(db, "commit", &e) == 0) {
        printf("schema: applied %04d_%s\n", m->version, m->name);
        return EXIT_DONE;
    }
    err_wrap(&e, "migration %04d_%s", m->version, m->name);
    return ctl_statement_failed(c, db, &e);
}

static int migrate_schema(const struct ctl *c, struct pg_sync *db)
{
    struct err e = {0};
    size_t applied = 0;
    int code;

    if (pg_sync_run(db, "set client_min_messages = warning; " LOCK, &e) != 0)
        return ctl_statement_failed(c, db, &e);
    code = read_applied(c, db, &applied);
    if (code == EXIT_DONE && applied == n_migrations)
        printf("schema: is at version %zu, nothing to do\n", applied);
    for (size_t i = applied; i < n_migrations && code == EXIT_DONE; i++)
        code = apply(c, db, &migrations[i]);
    return code;
}

static int migrate_topics(const struct ctl *c, int partitions)
{
    struct settings *s = ctl_settings_load(c, SETTINGS_NEED_KAFKA);
    int code;

    if (!s)
        return EXIT_CONFIGURATION;
    code = topics_create_missing(c, s, partitions);
    settings_free(s);
    return code;
}

static int run(const struct ctl *c, int argc, char **argv)
{
    static const struct option options[] = {
        {"topics",     no_argument,       NULL, 't'},
        {"partitions", required_argument, NULL, 'p'},
        {"dsn",        required_argument, NULL, 'd'},
        {"help",       no_argument,       NULL, 'h'},
        {NULL,         0,                 NULL, 0  }
    };
    int64_t partitions = 12;
    bool topics = false;
    const char *dsn = NULL;
    struct pg_sync *db;
    int option, code;

    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        switch (option) {
        case 't':
            topics = true;
            break;
        case 'p':
            if (!text_to_int(optarg, 1, PARTITIONS_MAX, &partitions))
                return ctl_usage_error(c, "--partitions takes a number from 1 to %d",
                                       PARTITIONS_MAX);
            break;
        case 'd':
            dsn = optarg;
            break;
        case 'h':
            return ctl_show_help(c);
        default:
            return ctl_option_error(c, option, argv);
        }
    }
    if (optind != argc)
        return ctl_usage_error(c, "takes no argument %s", argv[optind]);
    db = ctl_connect(c, dsn, &code);
    if (!db)
        return code;
    code = migrate_schema(c, db);
    pg_sync_close(db);
    return code == EXIT_DONE && topics ? migrate_topics(c, (int)partitions) : code;
}

const struct command command_migrate = {
    .name = "migrate",
    .summary = "bring the database's schema, and the topics, to what this version needs",
    .help =
        "usage: sendcodectl [-c FILE] migrate [--dsn DSN] [--topics [--partitions N]]\n\n"
        "Applies the migrations that the database lacks. The DSN's role must be allowed to make\n"
        "roles and a schema. Needs no secrets.\n\n"
        "  --dsn DSN        instead of [postgres] dsn; no password in it: PGPASSWORD\n"
        "  --topics         also make the Kafka topics that are missing: retention 72 h for jobs\n"
        "                   and dead letters, 7 days for events, the broker's replication\n"
        "  --partitions N   for topics that are made (12)\n",
    .run = run,
};

/*
 * migrate: brings the schema to the version that this program knows, under an advisory lock that a
 * second migrate waits for; never backwards. Each migration is a transaction of its own; the last
 * one's also applies the functions anew, so that a version is there whole or not at all.
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

/* While a migration waits for a reader, new readers and workers that connect wait for it. */
#define PATIENCE "set lock_timeout = '5s'"
#define LOCK_NOT_AVAILABLE "55P03"

static void sha256_hex(const struct sql_text *t, char out[SHA256_HEX_SIZE])
{
    uint8_t digest[SHA256_SIZE];

    crypto_sha256(t->sql, t->len, digest);
    crypto_hex(digest, out);
}

static bool is_sha256_of(const char *sha256, const struct sql_text *t)
{
    char known[SHA256_HEX_SIZE];

    sha256_hex(t, known);
    return sha256 && strcmp(sha256, known) == 0;
}

/* Refuses a database that is too new for this program, or too old. */
static int check_version(const struct ctl *c, int64_t version)
{
    int first = migrations[0].version;
    int last = migrations[n_migrations - 1].version;

    if (version > last) {
        ctl_say(c,
                "the database's schema has version %lld, this program knows %d: use the newer "
                "sendcodectl, migrate never goes backwards",
                (long long)version, last);
        return EXIT_CONFIGURATION;
    }
    if (version < first) {
        ctl_say(c,
                "the database's schema has version %lld, this program goes on from %d: first "
                "migrate to that one, with the sendcodectl of a release before",
                (long long)version, first);
        return EXIT_CONFIGURATION;
    }
    return EXIT_DONE;
}

/* Compares an applied migration with what the program knows; 0 when they are the same. The first
 * one's content is not compared: databases from before it came to its version in many steps. */
static int check_applied(const struct ctl *c, size_t i, int64_t version, const char *sha256)
{
    const struct migration *m = &migrations[i];

    if (version != m->version) {
        ctl_say(c, "sendcode.schema_migration has no row for version %d: mend it by hand",
                m->version);
        return EXIT_CONFIGURATION;
    }
    if (i > 0 && !is_sha256_of(sha256, &m->text)) {
        ctl_say(c,
                "migration %04d_%s was applied with another content than this program has: use "
                "the sendcodectl that belongs to this database",
                m->version, m->name);
        return EXIT_CONFIGURATION;
    }
    return EXIT_DONE;
}

/* How many of the migrations the database has, in *applied. */
static int check_all_applied(const struct ctl *c, const struct pg_sync_rows *rows, size_t *applied)
{
    int n = pg_sync_count(rows);
    int64_t version = 0;
    int code = EXIT_DONE;

    *applied = 0;
    if (n == 0)
        return EXIT_DONE;
    if (!text_to_int(pg_sync_cell(rows, n - 1, 0), 1, INT32_MAX, &version)) {
        ctl_say(c, "sendcode.schema_migration has a version that is none: mend it by hand");
        return EXIT_CONFIGURATION;
    }
    code = check_version(c, version);
    /* Rows of before the first are the steps that it stands for. */
    for (int row = 0; row < n && code == EXIT_DONE; row++) {
        if (text_to_int(pg_sync_cell(rows, row, 0), migrations[0].version, INT32_MAX, &version))
            code = check_applied(c, (*applied)++, version, pg_sync_cell(rows, row, 1));
    }
    return code;
}

static int read_applied(const struct ctl *c, struct pg_sync *db, size_t *applied)
{
    struct err e = {0};
    struct pg_sync_rows *rows;
    bool there;
    int code;

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
    code = check_all_applied(c, rows, applied);
    pg_sync_rows_free(rows);
    return code;
}

/* Whether the database's functions are those of this program, both being of the same version. */
static int check_functions(const struct ctl *c, struct pg_sync *db)
{
    struct err e = {0};
    struct pg_sync_rows *rows;
    int code = EXIT_DONE;

    rows = pg_sync_exec(db,
                        "select encode(functions_sha256, 'hex') from sendcode.schema_migration "
                        "order by version desc limit 1",
                        NULL, 0, &e);
    if (!rows)
        return ctl_statement_failed(c, db, &e);
    if (!is_sha256_of(pg_sync_cell(rows, 0, 0), &schema_functions)) {
        ctl_say(c,
                "the functions of version %d were applied with another content than this program "
                "has: use the sendcodectl that belongs to this database",
                migrations[n_migrations - 1].version);
        code = EXIT_CONFIGURATION;
    }
    pg_sync_rows_free(rows);
    return code;
}

static int run_noting(struct pg_sync *db, const char *sql, const char *const *params, int n,
                      struct err *e)
{
    struct pg_sync_rows *rows = pg_sync_exec(db, sql, params, n, e);

    pg_sync_rows_free(rows);
    return rows ? 0 : -1;
}

static int note_applied(struct pg_sync *db, const struct migration *m, struct err *e)
{
    char version[16];
    char sha256[SHA256_HEX_SIZE];
    const char *const params[] = {version, m->name, sha256};

    snprintf(version, sizeof version, "%d", m->version);
    sha256_hex(&m->text, sha256);
    return run_noting(db,
                      "insert into sendcode.schema_migration (version, name, sha256) values "
                      "($1::int, $2, decode($3, 'hex'))",
                      params, ARRAY_LEN(params), e);
}

/* Their bodies are not checked while they are made: they may call each other. */
static int apply_functions(struct pg_sync *db, struct err *e)
{
    char sha256[SHA256_HEX_SIZE];
    const char *const params[] = {sha256};

    sha256_hex(&schema_functions, sha256);
    if (pg_sync_run(db, "set local check_function_bodies = off", e) != 0 ||
        pg_sync_run(db, schema_functions.sql, e) != 0) {
        err_wrap(e, "functions");
        return -1;
    }
    return run_noting(db,
                      "update sendcode.schema_migration set functions_sha256 = decode($1, 'hex') "
                      "where version = (select max(version) from sendcode.schema_migration)",
                      params, ARRAY_LEN(params), e);
}

static int apply(const struct ctl *c, struct pg_sync *db, const struct migration *m, bool last)
{
    struct err e = {0};

    if (pg_sync_run(db, "begin", &e) == 0 && pg_sync_run(db, m->text.sql, &e) == 0 &&
        note_applied(db, m, &e) == 0 && (!last || apply_functions(db, &e) == 0) &&
        pg_sync_run(db, "commit", &e) == 0) {
        printf("schema: applied %04d_%s%s\n", m->version, m->name,
               last ? ", functions, views and rights" : "");
        return EXIT_DONE;
    }
    err_wrap(&e, "migration %04d_%s", m->version, m->name);
    if (strcmp(pg_sync_sqlstate(db), LOCK_NOT_AVAILABLE) == 0) {
        ctl_say(c,
                "%s: somebody reads or locks for long what it changes, as an audit or pg_dump "
                "does (pg_stat_activity shows who): wait for its end, or end it, and try again",
                e.text);
        return EXIT_UNREACHABLE;
    }
    return ctl_statement_failed(c, db, &e);
}

static int migrate_schema(const struct ctl *c, struct pg_sync *db)
{
    struct err e = {0};
    size_t applied = 0;
    int code;

    if (pg_sync_run(db, "set client_min_messages = warning; " LOCK, &e) != 0 ||
        pg_sync_run(db, PATIENCE, &e) != 0)
        return ctl_statement_failed(c, db, &e);
    code = read_applied(c, db, &applied);
    if (code == EXIT_DONE && applied == n_migrations) {
        code = check_functions(c, db);
        if (code == EXIT_DONE)
            printf("schema: is at version %d, nothing to do\n", migrations[applied - 1].version);
    }
    for (size_t i = applied; i < n_migrations && code == EXIT_DONE; i++)
        code = apply(c, db, &migrations[i], i + 1 == n_migrations);
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
        "Applies the migrations that the database lacks, and with the last one the functions, "
        "views\n"
        "and rights anew. The DSN's role must be allowed to make roles and a schema. Needs no\n"
        "secrets.\n\n"
        "  --dsn DSN        instead of [postgres] dsn; no password in it: PGPASSWORD\n"
        "  --topics         also make the Kafka topics that are missing: retention 72 h for jobs\n"
        "                   and dead letters, 7 days for events, the broker's replication\n"
        "  --partitions N   for topics that are made (12)\n",
    .run = run,
};

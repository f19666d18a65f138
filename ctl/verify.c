/* verify: asks sendcode.verify about a code read from stdin, as a frontend's verifier would. */
#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/crypto/code.h"
#include "common/domain/phone.h"
#include "common/err.h"
#include "common/mem.h"
#include "common/pg/pg_sync.h"
#include "common/settings/settings.h"
#include "common/settings/settings_check.h"
#include "common/text.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"

struct question {
    const char *phone;
    const char *scene;
    const char *client_ip; /* NULL: none */
    char code[CODE_MAX_LENGTH + 1];
};

/* The first line of stdin, without its end. */
static int read_code(const struct ctl *c, char out[CODE_MAX_LENGTH + 1])
{
    char line[64];
    size_t len;

    if (!fgets(line, sizeof line, stdin))
        line[0] = '\0';
    len = strcspn(line, "\r\n");
    line[len] = '\0';
    if (len < CODE_MIN_LENGTH || len > CODE_MAX_LENGTH || !text_all_in(line, len, "0123456789"))
        return ctl_usage_error(c, "give the code, 4 to 6 digits, on standard input");
    memcpy(out, line, len + 1);
    mem_wipe(line, sizeof line);
    return EXIT_DONE;
}

/* A PostgreSQL array of the digests under each verify key, the newest first. */
static void digests_to_array(const struct key_ring *ring, const struct question *q, struct buf *out)
{
    uint8_t digest[SHA256_SIZE];

    buf_add_char(out, '{');
    for (size_t i = 0; i < ring->n; i++) {
        code_digest(ring->keys[i].bytes, q->phone, q->scene, q->code, digest);
        buf_add_text(out, i ? ",\"\\\\x" : "\"\\\\x");
        buf_add_hex(out, digest, sizeof digest);
        buf_add_char(out, '"');
    }
    buf_add_char(out, '}');
    mem_wipe(digest, sizeof digest);
}

static int print_verdict(const struct pg_sync_rows *rows)
{
    static const char *const labels[] = {"verdict", "tries_left", "retry_after", "job_id"};

    for (int i = 0; i < (int)ARRAY_LEN(labels); i++)
        if (pg_sync_cell(rows, 0, i))
            printf("%s: %s\n", labels[i], pg_sync_cell(rows, 0, i));
    return strcmp(pg_sync_cell(rows, 0, 0), "ok") == 0 ? EXIT_DONE : EXIT_NO;
}

/* One statement outside any transaction: the count must be committed whatever the verdict. */
static int ask(const struct ctl *c, struct pg_sync *db, const struct key_ring *ring,
               const struct question *q)
{
    struct buf digests = BUF_INIT;
    struct err e = {0};
    struct pg_sync_rows *rows;
    int code;

    digests_to_array(ring, q, &digests);
    const char *const params[] = {q->phone, q->scene, q->client_ip, buf_text(&digests)};
    rows = pg_sync_exec(db,
                        "select verdict, tries_left, ceil(extract(epoch from retry_after))::bigint,"
                        " job_id from sendcode.verify($1, $2, $3::inet, variadic $4::bytea[])",
                        params, ARRAY_LEN(params), &e);
    buf_wipe(&digests);
    if (!rows)
        return ctl_statement_failed(c, db, &e);
    code = print_verdict(rows);
    pg_sync_rows_free(rows);
    return code;
}

static bool is_address(const char *text)
{
    struct in6_addr out;

    return inet_pton(AF_INET, text, &out) == 1 || inet_pton(AF_INET6, text, &out) == 1;
}

static int check_question(const struct ctl *c, const struct question *q)
{
    if (!phone_is_valid(q->phone, strlen(q->phone)))
        return ctl_usage_error(c, "the phone is + and 8 to 15 digits, the first not 0");
    if (!check_is_scene_name(q->scene, strlen(q->scene)))
        return ctl_usage_error(c, "the scene is 1 to 32 of a-z 0-9 . _ -");
    if (q->client_ip && !is_address(q->client_ip))
        return ctl_usage_error(c, "--client-ip takes an IPv4 or IPv6 address, no mask, no zone");
    return EXIT_DONE;
}

static int ask_database(const struct ctl *c, const char *dsn, const struct question *q)
{
    unsigned needs = SETTINGS_NEED_VERIFY_KEY | (dsn ? 0 : SETTINGS_NEED_POSTGRES);
    struct settings *s = ctl_settings_load(c, needs);
    struct pg_sync *db;
    int code;

    if (!s)
        return EXIT_CONFIGURATION;
    db = ctl_connect(c, dsn ? dsn : s->postgres.dsn, &code);
    if (db) {
        code = ask(c, db, &s->secrets.verify, q);
        pg_sync_close(db);
    }
    settings_free(s);
    return code;
}

static int run_question(const struct ctl *c, const char *dsn, struct question *q)
{
    int code = check_question(c, q);

    if (code == EXIT_DONE)
        code = read_code(c, q->code);
    if (code == EXIT_DONE)
        code = ask_database(c, dsn, q);
    mem_wipe(q->code, sizeof q->code);
    return code;
}

static int run(const struct ctl *c, int argc, char **argv)
{
    static const struct option options[] = {
        {"client-ip", required_argument, NULL, 'i'},
        {"dsn",       required_argument, NULL, 'd'},
        {"help",      no_argument,       NULL, 'h'},
        {NULL,        0,                 NULL, 0  }
    };
    struct question q = {0};
    const char *dsn = NULL;
    int option;

    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        switch (option) {
        case 'i':
            q.client_ip = optarg;
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
    if (argc - optind != 2)
        return ctl_usage_error(c, "takes a phone and a scene");
    q.phone = argv[optind];
    q.scene = argv[optind + 1];
    return run_question(c, dsn, &q);
}

const struct command command_verify = {
    .name = "verify",
    .summary = "ask whether a code is right, as a frontend's verifier would",
    .help =
        "usage: sendcodectl [-c FILE] verify [--client-ip ADDRESS] [--dsn DSN] PHONE SCENE\n\n"
        "Reads the code from standard input. Needs SENDCODE_VERIFY_KEY. Each call is a try and\n"
        "is counted. Prints verdict: ok, wrong, locked, expired or none, and what goes with it\n"
        "(retry_after in seconds). Exit code 0 for ok, 1 for any other verdict.\n",
    .run = run,
};

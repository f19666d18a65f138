/* audit: the jobs that fit a filter, for a person, a spreadsheet or a program. */
#include <getopt.h>
#include <string.h>

#include "common/buf.h"
#include "common/domain/job_state.h"
#include "common/domain/phone.h"
#include "common/pg/pg_sync.h"
#include "common/settings/settings_check.h"
#include "common/text.h"
#include "ctl/audit_rows.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"

#define PROVIDER_CODE_MAX 128

struct wish {
    struct audit_filter filter;
    enum audit_format format;
    const char *dsn;
};

static int check_phone(const struct ctl *c, const char *phone)
{
    if (!phone || phone_is_valid(phone, strlen(phone)))
        return 0;
    return ctl_usage_error(c, "--phone takes + and 8 to 15 digits, the whole number; phones are"
                              " masked in what auditors get, not in what they ask");
}

static int check_scene(const struct ctl *c, const char *scene)
{
    if (!scene || check_is_scene_name(scene, strlen(scene)))
        return 0;
    return ctl_usage_error(c, "--scene takes 1 to 32 of a-z 0-9 . _ -");
}

static int check_state(const struct ctl *c, const char *state)
{
    struct buf states = BUF_INIT;
    enum job_state known;

    if (!state || job_state_from_text(state, &known))
        return 0;
    for (int s = JOB_NEW + 1; s < JOB_STATE_COUNT; s++)
        buf_add_fmt(&states, " %s", job_state_to_text((enum job_state)s));
    (void)ctl_usage_error(c, "--state takes one of%s", buf_text(&states));
    buf_free(&states);
    return EXIT_USAGE_ERROR;
}

static int check_provider_code(const struct ctl *c, const char *code)
{
    static const char set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

    if (!code || (text_all_in(code, strlen(code), set) && strlen(code) <= PROVIDER_CODE_MAX))
        return 0;
    return ctl_usage_error(c, "--provider-code takes a code as Tencent gives it, as"
                              " LimitExceeded.PhoneNumberDailyLimit");
}

static int check_times(const struct ctl *c, const struct audit_filter *f)
{
    int64_t from_us = INT64_MIN;
    int64_t to_us = INT64_MAX;

    if (f->from && !text_to_time_us(f->from, strlen(f->from), &from_us))
        return ctl_usage_error(c, "--from takes an RFC 3339 time, as 2026-11-24T08:00:00Z");
    if (f->to && !text_to_time_us(f->to, strlen(f->to), &to_us))
        return ctl_usage_error(c, "--to takes an RFC 3339 time, as 2026-11-25T08:00:00Z");
    if (from_us >= to_us)
        return ctl_usage_error(c, "nothing lies between --from and --to: --to is a later time");
    return 0;
}

static int check_filter(const struct ctl *c, const struct audit_filter *f)
{
    int code = check_phone(c, f->phone);

    if (code == 0)
        code = check_scene(c, f->scene);
    if (code == 0)
        code = check_state(c, f->state);
    if (code == 0)
        code = check_provider_code(c, f->provider_code);
    return code == 0 ? check_times(c, f) : code;
}

static int read_format(const struct ctl *c, const char *name, enum audit_format *format)
{
    static const char *const names[] = {
        [AUDIT_TABLE] = "table", [AUDIT_CSV] = "csv", [AUDIT_JSONL] = "jsonl"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(names[i], name) == 0) {
            *format = (enum audit_format)i;
            return 0;
        }
    return ctl_usage_error(c, "--format takes table, csv or jsonl (JSON lines)");
}

static int run_wish(const struct ctl *c, const struct wish *w)
{
    int code = check_filter(c, &w->filter);
    struct pg_sync *db;

    if (code != 0)
        return code;
    db = ctl_connect(c, w->dsn, &code);
    if (!db)
        return code;
    code = audit_rows_print(c, db, &w->filter, w->format);
    pg_sync_close(db);
    return code;
}

static int run(const struct ctl *c, int argc, char **argv)
{
    static const struct option options[] = {
        {"phone",         required_argument, NULL, 'p'},
        {"scene",         required_argument, NULL, 's'},
        {"state",         required_argument, NULL, 'e'},
        {"from",          required_argument, NULL, 'f'},
        {"to",            required_argument, NULL, 't'},
        {"provider-code", required_argument, NULL, 'r'},
        {"format",        required_argument, NULL, 'o'},
        {"dsn",           required_argument, NULL, 'd'},
        {"help",          no_argument,       NULL, 'h'},
        {NULL,            0,                 NULL, 0  }
    };
    struct wish w = {0};
    const struct {
        int option;
        const char **value;
    } values[] = {
        {'p', &w.filter.phone        },
        {'s', &w.filter.scene        },
        {'e', &w.filter.state        },
        {'f', &w.filter.from         },
        {'t', &w.filter.to           },
        {'r', &w.filter.provider_code},
        {'d', &w.dsn                 },
    };
    int option;
    int code = 0;

    while (code == 0 && (option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (option == 'h')
            return ctl_show_help(c);
        if (option == '?' || option == ':')
            return ctl_option_error(c, option, argv);
        if (option == 'o')
            code = read_format(c, optarg, &w.format);
        for (size_t i = 0; i < ARRAY_LEN(values); i++)
            if (values[i].option == option)
                *values[i].value = optarg;
    }
    if (code != 0)
        return code;
    if (optind != argc)
        return ctl_usage_error(c, "takes no argument %s", argv[optind]);
    return run_wish(c, &w);
}

const struct command command_audit = {
    .name = "audit",
    .summary = "the jobs that fit a filter, as a table, CSV or JSON lines",
    .help =
        "usage: sendcodectl [-c FILE] audit [OPTION…]\n\n"
        "Prints jobs, oldest first, times in UTC. All filters together must fit; without one it\n"
        "prints all jobs. Phones are masked unless the DSN's role is an investigator.\n\n"
        "  --phone PHONE         of this phone, the whole number, for auditors too\n"
        "  --scene SCENE         of this scene\n"
        "  --state STATE         in this state now\n"
        "  --from TIME           requested at this time (RFC 3339) or later\n"
        "  --to TIME             requested before this time\n"
        "  --provider-code CODE  with an attempt that the provider answered with this code\n"
        "  --format FORMAT       table, csv or jsonl (JSON lines); the last two have every column\n"
        "  --dsn DSN             instead of [postgres] dsn; no password in it: PGPASSWORD\n",
    .run = run,
};

/* Reads the command line with getopt_long. */
#include "sandbox/options.h"

#include <getopt.h>
#include <stdio.h>

#include "common/err.h"
#include "common/http_post.h"
#include "common/settings/settings_check.h"
#include "common/text.h"

#define SKEW_MAX_S INT64_C(315360000) /* ten years */
#define RECEIPTS_AFTER_MAX_S 86400

enum {
    OPT_LISTEN = 256,
    OPT_TLS_LISTEN,
    OPT_TLS_DIR,
    OPT_CONTROL,
    OPT_BROKER,
    OPT_LEDGER,
    OPT_SEED,
    OPT_RECORD_LAG,
    OPT_CLOCK_SKEW,
    OPT_NUMBER_LIMITS,
    OPT_RECEIPTS,
    OPT_RECEIPTS_AFTER,
    OPT_HELP,
};

static const struct option long_options[] = {
    {"listen",         required_argument, NULL, OPT_LISTEN        },
    {"tls-listen",     required_argument, NULL, OPT_TLS_LISTEN    },
    {"tls-dir",        required_argument, NULL, OPT_TLS_DIR       },
    {"control",        required_argument, NULL, OPT_CONTROL       },
    {"broker",         no_argument,       NULL, OPT_BROKER        },
    {"ledger",         required_argument, NULL, OPT_LEDGER        },
    {"seed",           required_argument, NULL, OPT_SEED          },
    {"record-lag",     required_argument, NULL, OPT_RECORD_LAG    },
    {"clock-skew",     required_argument, NULL, OPT_CLOCK_SKEW    },
    {"number-limits",  no_argument,       NULL, OPT_NUMBER_LIMITS },
    {"receipts",       required_argument, NULL, OPT_RECEIPTS      },
    {"receipts-after", required_argument, NULL, OPT_RECEIPTS_AFTER},
    {"help",           no_argument,       NULL, OPT_HELP          },
    {NULL,             0,                 NULL, 0                 },
};

const char *options_help(void)
{
    return "usage: sendcode-sandbox [-c FILE] [--listen ADDR:PORT] [--tls-listen ADDR:PORT]\n"
           "           [--tls-dir DIR] [--control ADDR:PORT] [--broker] [--ledger FILE]\n"
           "           [--seed N] [--record-lag S] [--clock-skew S] [--number-limits]\n"
           "           [--receipts URL] [--receipts-after S]\n"
           "Stands in for Tencent Cloud SMS. The key it accepts is in TENCENT_SECRET_ID and\n"
           "TENCENT_SECRET_KEY. Prints one line of JSON on stdout when it is ready.\n"
           "  -c FILE               applications, signs, templates and topics from a sendcode\n"
           "                        configuration; without it they are taken as they come\n"
           "  --listen ADDR:PORT    the API over HTTP; port 0 takes a free one\n"
           "  --tls-listen ADDR:PORT  the API over HTTPS, with a certificate it makes itself\n"
           "  --tls-dir DIR         keeps that certificate, and its CA, in DIR\n"
           "  --control ADDR:PORT   the page for people, messages and faults\n"
           "  --broker              a small Kafka broker too (librdkafka's mock cluster)\n"
           "  --ledger FILE         appends one JSON line for each accepted SMS, and knows those "
           "that\n"
           "                        are in it already\n"
           "  --seed N              the same serial numbers and chances each time\n"
           "  --record-lag S        seconds until DescribeSendRecordList shows an SMS (0)\n"
           "  --clock-skew S        seconds by which its clock is ahead, or behind (0)\n"
           "  --number-limits       same content once per 30 s, two messages a day per number\n"
           "  --receipts URL        posts each receipt to URL; without a path, to that of\n"
           "                        SENDCODE_RECEIPT_PATH\n"
           "  --receipts-after S    seconds after acceptance (1)\n";
}

static int read_int(const char *name, int64_t lo, int64_t hi, int64_t *out, struct err *e)
{
    if (text_to_int(optarg, lo, hi, out))
        return 0;
    return err_set(e, ERR_PERM, 0, "%s takes a whole number from %lld to %lld", name, (long long)lo,
                   (long long)hi);
}

static int read_address(const char *name, const char **out, struct err *e)
{
    const char *expected = check_listen(optarg);
    *out = optarg;
    return expected ? err_set(e, ERR_PERM, 0, "%s: expected %s", name, expected) : 0;
}

static int take(struct options *o, int which, struct err *e)
{
    int64_t seed;
    switch (which) {
    case 'c':
        o->config = optarg;
        return 0;
    case OPT_LISTEN:
        return read_address("--listen", &o->listen, e);
    case OPT_TLS_LISTEN:
        return read_address("--tls-listen", &o->tls_listen, e);
    case OPT_TLS_DIR:
        o->tls_dir = optarg;
        return 0;
    case OPT_CONTROL:
        return read_address("--control", &o->control, e);
    case OPT_BROKER:
        o->broker = true;
        return 0;
    case OPT_LEDGER:
        o->ledger = optarg;
        return 0;
    case OPT_SEED:
        if (read_int("--seed", 0, INT64_MAX, &seed, e) < 0)
            return -1;
        o->seed = (uint64_t)seed;
        o->has_seed = true;
        return 0;
    case OPT_RECORD_LAG:
        return read_int("--record-lag", 0, RECORD_LAG_MAX_S, &o->record_lag_s, e);
    case OPT_CLOCK_SKEW:
        return read_int("--clock-skew", -SKEW_MAX_S, SKEW_MAX_S, &o->clock_skew_s, e);
    case OPT_NUMBER_LIMITS:
        o->number_limits = true;
        return 0;
    case OPT_RECEIPTS:
        o->receipts = optarg;
        return http_post_is_url(optarg)
                   ? 0
                   : err_set(e, ERR_PERM, 0,
                             "--receipts: expected a URL as in http://127.0.0.1:9465");
    case OPT_RECEIPTS_AFTER:
        return read_int("--receipts-after", 0, RECEIPTS_AFTER_MAX_S, &o->receipts_after_s, e);
    default:
        return err_set(e, ERR_PERM, 0, "%s: see sendcode-sandbox --help",
                       which == ':' ? "an option lacks its value" : "there is no such option");
    }
}

enum options_verdict options_parse(struct options *o, int argc, char **argv, struct err *e)
{
    *o = (struct options){.receipts_after_s = 1};
    opterr = 0;
    optind = 0;
    for (int which; (which = getopt_long(argc, argv, ":c:", long_options, NULL)) != -1;) {
        if (which == OPT_HELP)
            return OPTIONS_HELP;
        if (take(o, which, e) < 0) {
            if (which == ':' || which == '?')
                err_wrap(e, "%s", argv[optind - 1]);
            return OPTIONS_BAD;
        }
    }
    if (optind < argc)
        err_set(e, ERR_PERM, 0, "%s: sendcode-sandbox takes options only", argv[optind]);
    else if (!o->listen && !o->tls_listen && !o->broker)
        err_set(e, ERR_PERM, 0, "nothing to do: give --listen, --tls-listen or --broker");
    else if (o->tls_dir && !o->tls_listen)
        err_set(e, ERR_PERM, 0, "--tls-dir needs --tls-listen");
    else
        return OPTIONS_RUN;
    return OPTIONS_BAD;
}

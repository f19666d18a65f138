/* The command line of sendcode-sandbox. */
#ifndef SENDCODE_SANDBOX_OPTIONS_H
#define SENDCODE_SANDBOX_OPTIONS_H

#include "common/base.h"

#define RECORD_LAG_MAX_S INT64_C(259200) /* 72 h */

struct err;

struct options {
    const char *listen; /* ADDR:PORT, NULL: not asked for; as the next two */
    const char *tls_listen;
    const char *control;
    const char *tls_dir;  /* NULL: a temporary one */
    const char *ledger;   /* NULL: none */
    const char *config;   /* NULL: everything as it comes */
    const char *receipts; /* URL that receipts are posted to by themselves; NULL: none */
    bool broker;
    bool number_limits;
    bool has_seed;
    uint64_t seed;
    int64_t record_lag_s;
    int64_t clock_skew_s;
    int64_t receipts_after_s;
};

enum options_verdict { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_BAD };

/* Texts are borrowed from argv. OPTIONS_BAD: one sentence in e. */
NODISCARD enum options_verdict options_parse(struct options *o, int argc, char **argv,
                                             struct err *e);
const char *options_help(void);

#endif

/*
 * The configuration as the programs use it. The typed table in settings_table.c is the one place
 * where a key's name, type, bounds, default, reloadability and documentation stand; reading, the
 * environment, --dump-config, etc/sendcode.conf and the manual page come from it.
 */
#ifndef SENDCODE_COMMON_SETTINGS_SETTINGS_H
#define SENDCODE_COMMON_SETTINGS_SETTINGS_H

#include "common/base.h"

struct buf;
struct settings_doc;

#define SETTINGS_KEYS_MAX 4 /* sendcode.verify takes as many digests */
#define SCENE_PARAMS_MAX 10
#define SCENE_COUNTRIES_MAX 32

/* A CODE_KEY or VERIFY_KEY. id: the first 4 bytes of the key's SHA-256. */
struct secret_key {
    uint8_t bytes[32];
    uint8_t id[4];
};
struct key_ring {
    struct secret_key keys[SETTINGS_KEYS_MAX]; /* the first makes, all are known */
    size_t n;
};

struct property { /* of [kafka], verbatim */
    char *name;
    char *value;
    char *origin; /* "FILE:LINE: [kafka] NAME" or "environment: VARIABLE": begins its faults */
    bool from_environment;
};

/* One scene as it holds for one locale: everything resolved, nothing inherited at run time. */
struct scene {
    char *name;
    char *locale; /* NULL: the scene's own */
    char *template_id;
    char *template_params[SCENE_PARAMS_MAX]; /* "{code}", "{minutes}" or literal text */
    size_t n_template_params;
    char *sign_name;  /* own or [tencent]'s */
    char *sdk_app_id; /* own or [tencent]'s */
    char *country_codes[SCENE_COUNTRIES_MAX];
    size_t n_country_codes;
    int64_t code_length; /* digits */
    int64_t ttl;         /* seconds, as all of these */
    int64_t send_within;
    int64_t max_tries;
    int64_t tries_window;
    int64_t max_tries_day;
    int64_t cooldown;
    int64_t per_hour; /* jobs; 0: off */
    int64_t per_day;
    bool resend_same;
};

struct settings {
    struct settings_doc *doc; /* the file it came from, for the origins in settings_dump */
    struct property *kafka;   /* from the file, then from SENDCODE_KAFKA_* (which may be secret) */
    size_t n_kafka;
    struct {
        char *jobs, *events, *dead;
    } topics;
    struct {
        char *dsn;
    } postgres;
    struct {
        char *endpoint, *region, *sdk_app_id, *sign_name, *ca_file;
        int64_t timeout;        /* seconds */
        int64_t rate;           /* jobs a second, over all workers; 0: no cap */
        int64_t signature_life; /* seconds, 5 to 300; 300: no lease */
        int64_t doubt_grace;    /* seconds that the provider's records may lag */
        bool resend_after_doubt;
        int64_t probe_interval; /* seconds */
        bool pull_receipts;
        int64_t receipt_overdue; /* seconds; 0: never asked for */
        bool report_conversions;
    } tencent;
    struct {
        char *name; /* of this worker in the database and logs; default host-pid */
        char *admin_listen;
        char *log_level;
        int64_t in_flight, held_jobs;
        int64_t start_budget, drain; /* seconds */
    } worker;
    struct {
        char *listen;
        char *dsn;   /* NULL: [postgres]'s */
        char *allow; /* networks with commas between; NULL: all */
        bool trust_proxy;
    } receiver;
    struct {                                                      /* over all scenes; 0: off */
        int64_t phone_per_day, address_per_hour, address_per_day; /* jobs */
        int64_t provider_per_day;                                 /* messages */
        int64_t provider_interval;                                /* seconds */
    } limits;
    struct {
        int64_t deliveries, attempts, receipts; /* days; 0: for ever */
    } retention;
    struct scene *scenes; /* every (scene, locale) */
    size_t n_scenes;
    struct {
        char *tencent_secret_id, *tencent_secret_key, *tencent_token; /* token NULL if none */
        struct key_ring code, verify;
        char *receipt_path;
    } secrets;
};

/* What a program needs; the rest of the file is checked all the same. */
#define SETTINGS_NEED_KAFKA 1u    /* bootstrap.servers, topics */
#define SETTINGS_NEED_POSTGRES 2u /* a dsn */
#define SETTINGS_NEED_TENCENT 4u  /* [tencent], scenes, and the TENCENT_* secrets */
#define SETTINGS_NEED_CODE_KEY 8u
#define SETTINGS_NEED_VERIFY_KEY 16u
#define SETTINGS_NEED_RECEIVER 64u     /* [receiver], a dsn, and its secret path */
#define SETTINGS_NEED_TENCENT_KEYS 32u /* of what SETTINGS_NEED_TENCENT asks, the secrets alone */

/*
 * Reads path (NULL: environment and defaults only). On faults returns NULL and appends one line a
 * fault to `faults`, each "FILE:LINE: [section] key: what was expected" (the environment's:
 * "environment: NAME: …"); never a secret in it. The caller frees.
 */
NODISCARD struct settings *settings_load(const char *path, unsigned needs, struct buf *faults);

/* The same, with one more judge (NULL: none), who sees the settings even if they have faults. */
typedef void settings_check_fn(const struct settings *s, struct buf *faults);
NODISCARD struct settings *settings_load_checked(const char *path, unsigned needs,
                                                 settings_check_fn *check, struct buf *faults);
void settings_free(struct settings *s); /* wipes secrets; NULL is fine */

/* The scene for a locale: exact, else its language part, else the scene's own; NULL: not
 * configured. */
const struct scene *settings_scene(const struct settings *s, const char *name, const char *locale);

const char *settings_kafka(const struct settings *s, const char *property); /* NULL if not set */

/* --dump-config: the effective configuration as INI with origin comments; secrets as "# X = ***".
 */
void settings_dump(const struct settings *s, struct buf *out);

/* The text of etc/sendcode.conf, made from the table (`sendcodectl` does not need it; a test does).
 */
void settings_sample(struct buf *out);

/* The text of docs/man/sendcode.conf.5, likewise. */
void settings_manual(struct buf *out);

/*
 * SIGHUP: `next` was loaded anew; it gets back from `now` what may not change while running, with
 * one line in `ignored` for each key that differs there. Scenes, secrets and the rows of the table
 * that reload are next's. Returns next, to be used from now on; jobs already parsed point into
 * now's scenes, so the caller keeps `now` until none does.
 */
NODISCARD struct settings *settings_reload(const struct settings *now, struct settings *next,
                                           struct buf *ignored);

#endif

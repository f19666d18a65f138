/* The table of all configuration keys. */
#include "common/settings/settings_table.h"

#include <string.h>

#include "common/settings/settings.h"
#include "common/settings/settings_check.h"

#define AT(field) offsetof(struct settings, field)
#define IN_SCENE(field) offsetof(struct scene, field)

/* One row each; what follows the fixed part is named: .preset, .example, .reloads, .doc. */
#define ROW(in, name, kind, ...)                                                                   \
    {                                                                                              \
        .section = (in), .key = (name), .type = &(kind), __VA_ARGS__                               \
    }
#define TEXT(in, name, where, test, ...)                                                           \
    ROW(in, name, setting_type_text, .offset = (where), .check = (test), __VA_ARGS__)
#define INT(in, name, where, least, most, ...)                                                     \
    ROW(in, name, setting_type_int, .offset = (where), .lo = (least), .hi = (most), __VA_ARGS__)
#define BOOL(in, name, where, true_word, false_word, ...)                                          \
    ROW(in, name, setting_type_bool, .offset = (where), .yes = (true_word), .no = (false_word),    \
        __VA_ARGS__)
#define SCENE_INT(name, least, most, usual, ...)                                                   \
    INT("scene", #name, IN_SCENE(name), least, most, .preset = (usual), .reloads = true,           \
        __VA_ARGS__)
#define LIMIT(name, most, usual, ...)                                                              \
    INT("limits", #name, AT(limits.name), 0, most, .preset = (usual), .reloads = true, __VA_ARGS__)
#define DAYS(name, ...)                                                                            \
    INT("retention", #name, AT(retention.name), 0, 36500, .preset = "0", .reloads = true,          \
        __VA_ARGS__)
#define SECTION(in, ...)                                                                           \
    {                                                                                              \
        .name = (in), __VA_ARGS__                                                                  \
    }

#define DAY 86400
#define MANY 1000000

const struct section_doc settings_sections[] = {
    SECTION("kafka", .header = "kafka",
            .doc =
                "Any librdkafka property, verbatim. Passwords, keys and *.pem come from the\n"
                "environment: SENDCODE_KAFKA_SASL_PASSWORD for sasl.password, or with _FILE and\n"
                "the path of a file; so can any other property, and it wins over this file.\n"
                "enable.auto.commit and enable.auto.offset.store may not be turned on.",
            .lines = "# HOST:PORT of some brokers, with commas between.\n"
                     "bootstrap.servers = 127.0.0.1:9092\n"
                     "\n"
                     "# The workers' consumer group. A new one starts at the earliest record.\n"
                     ";group.id = sendcode-worker\n"
                     "\n"
                     "# plaintext, ssl, sasl_plaintext or sasl_ssl.\n"
                     ";security.protocol = plaintext\n"
                     ";sasl.mechanism = SCRAM-SHA-512\n"
                     ";sasl.username =\n"),
    SECTION("topics", .header = "topics", .doc = "Three different topics."),
    SECTION("postgres", .header = "postgres",
            .doc = "A password comes from PGPASSWORD or PGPASSFILE, never from here."),
    SECTION("tencent", .header = "tencent",
            .doc = "Tencent Cloud SMS. From the environment, each also with _FILE and a path:\n"
                   "TENCENT_SECRET_ID, TENCENT_SECRET_KEY and, for temporary keys, TENCENT_TOKEN\n"
                   "(or TENCENTCLOUD_...), and SENDCODE_CODE_KEY and SENDCODE_VERIFY_KEY: 64 hex\n"
                   "digits, or several such keys with commas; the first makes, all are known."),
    SECTION("worker", .header = "worker",
            .doc = "How one worker behaves. Any number of them share the work."),
    SECTION(
        "receiver", .header = "receiver",
        .doc =
            "sendcode-receiver, which takes Tencent's status callbacks behind a proxy that does\n"
            "TLS. From the environment: SENDCODE_RECEIPT_PATH, or with _FILE and a path: the\n"
            "secret path of the callback's URL, 32 characters or more, the first a slash."),
    SECTION("limits", .header = "limits",
            .doc =
                "Limits over all scenes, beside those of each. A job is charged once, when it is\n"
                "claimed for the first time. SIGHUP reads them anew."),
    SECTION("retention", .header = "retention",
            .doc = "Days that the record is kept; whole months are dropped once all of their days\n"
                   "are older. 0: for ever. SIGHUP reads them anew."),
    SECTION("scene", .header = "scene login",
            .doc =
                "A scene is what a code is for: a section [scene NAME] each, NAME being 1 to 32\n"
                "of a-z 0-9 . _ -. [scene NAME LOCALE] says what differs for jobs of a locale,\n"
                "such as zh or zh-TW; the rest is inherited. SIGHUP reads scenes anew.",
            .lines = "[scene login en]\n"
                     "template_id = 449740\n"),
};
const size_t settings_sections_size = ARRAY_LEN(settings_sections);

const struct setting settings_table[] = {
    TEXT("topics", "jobs", AT(topics.jobs), check_topic, .preset = "sendcode.jobs",
         .doc = "Where jobs come from."),
    TEXT("topics", "events", AT(topics.events), check_topic, .preset = "sendcode.events",
         .doc = "Where each change of a job's state is announced."),
    TEXT("topics", "dead", AT(topics.dead), check_topic, .preset = "sendcode.dead",
         .doc = "Where records go that are no jobs."),

    TEXT("postgres", "dsn", AT(postgres.dsn), check_dsn,
         .example = "host=/run/postgresql dbname=sendcode user=sendcode",
         .doc = "Anything libpq takes: key=value pairs or a postgresql:// URI, several hosts\n"
                "included (with target_session_attrs=read-write). hostaddr avoids slow DNS."),

    TEXT("tencent", "endpoint", AT(tencent.endpoint), check_endpoint,
         .preset = "https://sms.tencentcloudapi.com",
         .doc = "Scheme, host and, if need be, port. http:// only to loopback hosts."),
    TEXT("tencent", "region", AT(tencent.region), check_identifier, .preset = "ap-guangzhou",
         .doc = "ap-guangzhou, ap-beijing, ap-nanjing or ap-singapore."),
    TEXT("tencent", "sdk_app_id", AT(tencent.sdk_app_id), check_identifier, .reloads = true,
         .example = "1400006666",
         .doc = "The SMS application, for scenes that do not name their own."),
    TEXT("tencent", "sign_name", AT(tencent.sign_name), check_sign_name, .reloads = true,
         .example = "腾讯云",
         .doc = "The approved signature, for scenes that do not name their own; +86 needs one."),
    TEXT("tencent", "ca_file", AT(tencent.ca_file), check_path,
         .doc = "PEM file of a private CA, in addition to the system's."),
    INT("tencent", "timeout", AT(tencent.timeout), 1, 60, .preset = "5",
        .doc = "Seconds for one request; without an answer by then the SMS is in doubt."),
    INT("tencent", "rate", AT(tencent.rate), 0, MANY, .preset = "3000", .reloads = true,
        .doc = "Jobs a second for the account, shared by all workers; 0: no cap."),
    INT("tencent", "signature_life", AT(tencent.signature_life), 5, 300, .preset = "15",
        .doc = "Seconds after which Tencent itself refuses a request that was held up on its way.\n"
               "300 turns this protection off."),
    INT("tencent", "doubt_grace", AT(tencent.doubt_grace), 1, 3600, .preset = "20", .reloads = true,
        .doc =
            "Seconds that Tencent's records of a number may lag behind. A job in doubt that they\n"
            "do not show so long after its last possible send was not sent."),
    BOOL("tencent", "resend_after_doubt", AT(tencent.resend_after_doubt), "on", "off",
         .preset = "on", .reloads = true,
         .doc = "on: a job that was not sent by those records is sent again before its deadline.\n"
                "off: it ends unknown; choose this if the records may lag longer."),
    INT("tencent", "probe_interval", AT(tencent.probe_interval), 1, 3600, .preset = "15",
        .doc = "Seconds between probes while Tencent refuses for a reason that you must mend."),
    BOOL("tencent", "pull_receipts", AT(tencent.pull_receipts), "on", "off", .preset = "off",
         .reloads = true,
         .doc =
             "on: receipts are pulled from Tencent's queue, if support switched that on for you;\n"
             "one worker at a time does. Choose this or a callback (sendcode-receiver)."),
    INT("tencent", "receipt_overdue", AT(tencent.receipt_overdue), 0, DAY, .preset = "0",
        .reloads = true,
        .doc = "Seconds after which Tencent is asked by number for a receipt that has not come,\n"
               "as far as its rate allows: 60 or more; 0: never."),
    BOOL("tencent", "report_conversions", AT(tencent.report_conversions), "on", "off",
         .preset = "off", .reloads = true,
         .doc = "on: Tencent is told of verified codes (ReportConversion), each once, when its "
                "code is\n"
                "over; only accounts that Tencent's support allows to may tell it."),

    TEXT("worker", "name", AT(worker.name), check_worker_name,
         .doc =
             "Its name in the database and in logs: 1 to 64 of A-Z a-z 0-9 . _ : -, another for\n"
             "each worker. Default: host name and process id."),
    TEXT("worker", "admin_listen", AT(worker.admin_listen), check_listen,
         .preset = "127.0.0.1:9464",
         .doc = "Where /metrics, /healthz and /readyz are; port 0 takes a free one."),
    TEXT("worker", "log_level", AT(worker.log_level), check_log_level, .preset = "info",
         .reloads = true, .doc = "debug, info, warn or error. SIGHUP reads it anew."),
    INT("worker", "in_flight", AT(worker.in_flight), 1, 4096, .preset = "64",
        .doc = "Requests to Tencent at once, and so what a crash can leave in doubt."),
    INT("worker", "held_jobs", AT(worker.held_jobs), 1, MANY, .preset = "10000",
        .doc = "Jobs held in memory for a retry, for their phone or for a stopped scene; when\n"
               "there are that many, intake stops."),
    INT("worker", "start_budget", AT(worker.start_budget), 1, 60, .preset = "2",
        .doc = "Seconds from claim to request; later the request does not leave."),
    INT("worker", "drain", AT(worker.drain), 0, 600, .preset = "10", .reloads = true,
        .doc = "Seconds after SIGTERM for requests under way. SIGHUP reads it anew."),

    TEXT("receiver", "listen", AT(receiver.listen), check_listen, .preset = "127.0.0.1:9465",
         .doc = "Where callbacks are taken; port 0 takes a free one."),
    TEXT("receiver", "dsn", AT(receiver.dsn), check_dsn,
         .doc = "As in [postgres], for a user with the role sendcode_receiver and no other.\n"
                "Default: that of [postgres]."),
    TEXT("receiver", "allow", AT(receiver.allow), check_networks,
         .doc =
             "Addresses and networks that may call, with commas between: 10.0.0.0/8,2001:db8::1.\n"
             "Default: all."),
    BOOL("receiver", "trust_proxy", AT(receiver.trust_proxy), "on", "off", .preset = "off",
         .doc = "on: the caller is the last address of X-Forwarded-For, if a proxy on this "
                "machine, or\n"
                "one that allow names, hands the callback on."),

    LIMIT(phone_per_day, MANY, "0", .doc = "Jobs of a phone in 24 hours; 0: off."),
    LIMIT(address_per_hour, MANY, "0",
          .doc = "Jobs of a client_ip in an hour, of an IPv6 address by its /64; 0: off."),
    LIMIT(address_per_day, MANY, "0", .doc = "The same in 24 hours; 0: off."),
    LIMIT(provider_per_day, MANY, "0",
          .doc = "Messages of a phone in a natural day of China, as Tencent's console says (2 for\n"
                 "new accounts): what it would refuse is not asked for; 0: off."),
    LIMIT(provider_interval, DAY, "30",
          .doc = "Seconds within which Tencent refuses the same content for a phone; 0: off."),

    DAYS(deliveries, .doc = "Jobs, and the records that are none."),
    DAYS(attempts, .doc = "What was asked of Tencent, and what it answered."),
    DAYS(receipts, .doc = "The carriers' receipts."),

    TEXT("scene", "template_id", IN_SCENE(template_id), check_identifier, .reloads = true,
         .example = "449739", .doc = "The approved template."),
    ROW("scene", "template_params", setting_type_params, .preset = "{code},{minutes}",
        .reloads = true,
        .doc = "What fills {1}, {2} and so on in the template, with commas between: {code},\n"
               "{minutes} (what is left of the code's life), texts of at most 12 characters."),
    SCENE_INT(code_length, 4, 6, "6", .doc = "Digits of a code."),
    SCENE_INT(ttl, 10, DAY, "300",
              .doc = "Seconds a code verifies, from the moment its request may leave."),
    SCENE_INT(send_within, 5, DAY, "60",
              .doc = "Seconds from requested_at to the deadline of a job that names none."),
    SCENE_INT(max_tries, 1, MANY, "5",
              .doc = "Wrong tries of a phone within tries_window, whichever the code."),
    SCENE_INT(tries_window, 5, DAY, "3600", .doc = "Seconds, from the first wrong try."),
    SCENE_INT(max_tries_day, 1, MANY, "20", .doc = "Wrong tries of a phone within 24 hours."),
    BOOL("scene", "resend", IN_SCENE(resend_same), "same", "new", .preset = "same", .reloads = true,
         .doc = "same: in the first half of its life a code is sent again; new: never."),
    SCENE_INT(cooldown, 0, DAY, "60", .doc = "Seconds between two jobs of a phone; 0: off."),
    SCENE_INT(per_hour, 0, MANY, "5", .doc = "Jobs of a phone in an hour; 0: off."),
    SCENE_INT(per_day, 0, MANY, "30", .doc = "Jobs of a phone in 24 hours; 0: off."),
    TEXT("scene", "sign_name", IN_SCENE(sign_name), check_sign_name, .reloads = true,
         .doc = "Default: that of [tencent]."),
    TEXT("scene", "sdk_app_id", IN_SCENE(sdk_app_id), check_identifier, .reloads = true,
         .doc = "Default: that of [tencent]."),
    ROW("scene", "country_codes", setting_type_countries, .preset = "86", .reloads = true,
        .doc = "Country calling codes this scene sends to, with commas between. A job for another\n"
               "one ends limited, reason country."),
};
const size_t settings_table_size = ARRAY_LEN(settings_table);

const struct setting *settings_table_find(const char *section, const char *key)
{
    for (size_t i = 0; i < settings_table_size; i++) {
        const struct setting *s = &settings_table[i];
        if (strcmp(s->section, section) == 0 && strcmp(s->key, key) == 0)
            return s;
    }
    return NULL;
}

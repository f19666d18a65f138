/*
 * Port: the SMS provider. Adapter: worker/tencent/tencent_sms; fake: tests/replay.
 * Answers carry the ticket; a call never completes before it returns.
 */
#ifndef SENDCODE_WORKER_PORTS_SENDER_H
#define SENDCODE_WORKER_PORTS_SENDER_H

#include "common/base.h"

#define SMS_PARAMS_MAX 10
#define QUERIES_MAX 16 /* for send records, at once */

/* Borrowed during the call. */
struct sms {
    const char *phone;
    const char *sdk_app_id;
    const char *sign_name;
    const char *template_id;
    const char *params[SMS_PARAMS_MAX];
    size_t n_params;
    const char *session_context;
};

enum send_transport {
    SEND_NOT_SENT,  /* the gate never said yes: certainly not sent */
    SEND_NO_ANSWER, /* may have been sent; no parsed answer */
    SEND_ANSWERED,  /* HTTP status and a parsed `Response` */
};

struct send_result {
    enum send_transport transport;
    bool gate_refused;   /* with SEND_NOT_SENT: by our own gate, not by the network */
    int http_status;     /* 0: none */
    bool accepted;       /* Code Ok with a SerialNo, for this very number */
    bool top_level;      /* `code` is the envelope's Error.Code, else SendStatusSet's */
    char code[96];       /* provider's code, "" if none */
    char request_id[64]; /* "" if none */
    char serial_no[65];  /* "" if none */
    int32_t fee;
    char why[160];      /* transport's or parser's one sentence; for logs only */
    int64_t started_us; /* boot clock, when the request was handed over */
    int64_t duration_us;
    int64_t signature_age_us; /* how long ago it was signed when the answer came */
};

/* Borrowed during the call. */
struct records_query {
    const char *phone;
    const char *sdk_app_id;
    int64_t since_us; /* boot clock: the oldest that is wanted */
};

/* A message to the number, as the provider remembers it. */
struct send_record {
    char serial_no[65]; /* "" if none */
    int64_t at_us;      /* boot clock: when the provider took it, to the second */
    bool accepted;      /* SendStatus 2, 3, 4; else 1, submit failed */
    char code[96];      /* RequestCode */
};

/* Borrowed during the call. */
struct records_answer {
    /* Every page came, every record is of this number, of the asked time and of a known status, and
     * none is there twice with two meanings. Only then does silence mean anything. */
    bool whole;
    char code[96];                     /* the provider refused the query: its code; else "" */
    char why[160];                     /* not whole: one sentence */
    const struct send_record *records; /* what was understood, the same SerialNo once */
    size_t n;
};

struct sender_handlers {
    void *arg;
    /* Last moment before bytes leave: may this attempt go? Asked at most once an attempt. */
    bool (*gate)(void *arg, uint64_t ticket);
    void (*sent)(void *arg, uint64_t ticket, const struct send_result *r);
    /* Answer to `probe`: NULL when the provider takes our account's requests, else its code or why.
     */
    void (*probed)(void *arg, const char *why);
    /* The first clock query is answered (or not, then it is tried again): sends may be asked for.
     */
    void (*ready)(void *arg);
    /* Answer to query_records. */
    void (*records)(void *arg, uint64_t ticket, const struct records_answer *a);
};

struct sender {
    void *self;
    bool (*is_ready)(void *self);
    void (*send)(void *self, uint64_t ticket, const struct sms *sms);
    void (*probe)(void *self); /* a harmless, unbilled query (DescribePhoneNumberInfo) */
    /* DescribeSendRecordList; at most QUERIES_MAX under way. */
    void (*query_records)(void *self, uint64_t ticket, const struct records_query *q);
};

#endif

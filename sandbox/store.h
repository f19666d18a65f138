/*
 * What was sent, by number and in order: the last STORE_MAX messages, accepted ones and those that
 * were refused for their number or content (send records list both).
 */
#ifndef SENDCODE_SANDBOX_STORE_H
#define SENDCODE_SANDBOX_STORE_H

#include <uthash.h>

#include "common/base.h"
#include "sandbox/dice.h"
#include "sandbox/number.h"

struct buf;
struct phone_messages;

#define STORE_MAX 1000000
#define MESSAGE_PARAMS_MAX 10
#define DELIVERY_US US_PER_S /* from acceptance to the user's phone */
#define OUTCOME_DELIVERED "DELIVRD"

/* A message as it comes from a request: all texts borrowed. */
struct message_content {
    const char *template_id;
    const char *sign_name;
    const char *session_context;
    const char *app_id;
    const char *params[MESSAGE_PARAMS_MAX];
    size_t n_params;
};

/* What the carrier says of an accepted message: delivered, until a receipt says something else. */
struct outcome {
    bool failed;
    char *code; /* the carrier's, owned; NULL: OUTCOME_DELIVERED */
    int64_t at_us;
};

struct message {
    struct message *prev, *next; /* in order of time */
    struct message *phone_prev,
        *phone_next; /* of one number; phone_prev of the first is the last */
    struct phone_messages *of;
    int64_t at_us;                  /* Unix time */
    char serial_no[SERIAL_NO_SIZE]; /* "" for refused ones */
    struct message_content content;
    const char *code; /* "Ok", or why it was refused */
    struct outcome outcome;
    bool reported;       /* a receipt has left: the outcome stays */
    bool called;         /* one has left in a callback */
    int64_t converted_s; /* Unix time that ReportConversion gave; 0: none */
    /* the texts follow */
};

struct phone_messages {
    char phone[NUMBER_SIZE]; /* key */
    struct message *messages;
    UT_hash_handle hh;
};

struct store {
    struct message *messages;
    struct phone_messages *phones;
    struct message *not_pulled; /* the oldest message that may still have a receipt to pull */
    struct message *not_called; /* the oldest that may still have one to be posted by itself */
    size_t n;
};

/* A copy of everything, kept by the store. serial_no "" means refused. */
struct message *store_add(struct store *s, const char *phone, const struct message_content *content,
                          const char *serial_no, const char *code, int64_t at_us);
/* NULL: nothing was sent to that number. e164 as number_from_text gives it. */
struct phone_messages *store_find(const struct store *s, const char *e164);
void store_clear(struct store *s);

bool message_is_accepted(const struct message *m);
/* Not once a receipt has left. code NULL: OUTCOME_DELIVERED. */
void message_decide(struct message *m, bool failed, const char *code);
const char *message_carrier_code(const struct message *m);
const char *message_report_status(const struct message *m); /* "SUCCESS", "FAIL" */

/* {"phone":…,"text":…,…}: the members that /messages and the ledger have. */
void message_add_json(const struct message *m, struct buf *out);
/* 【sign】text */
void message_add_text(const struct message *m, struct buf *out);

#endif

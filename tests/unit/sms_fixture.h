/*
 * A sender on a loop in front of a test server that plays Tencent, for tencent_sms_test: the clock
 * query is answered at once, everything else as the test says.
 */
#ifndef SENDCODE_TESTS_UNIT_SMS_FIXTURE_H
#define SENDCODE_TESTS_UNIT_SMS_FIXTURE_H

#include "common/base.h"
#include "tests/unit/tiny_server.h"
#include "worker/ports/sender.h"
#include "worker/tencent/tencent_sms.h"

#define PHONE "+8613800138000"
#define IN_FLIGHT 8
#define PROVIDER_DATE 1700000000 /* far from the wall clock: it must not matter */
#define OK_STATUS(phone, serial)                                                                   \
    "{\"SerialNo\":\"" serial "\",\"PhoneNumber\":\"" phone "\",\"Fee\":1,"                        \
    "\"SessionContext\":\"job-1\",\"Code\":\"Ok\",\"Message\":\"send "                             \
    "success\",\"IsoCode\":\"CN\"}"
#define ANSWER(status)                                                                             \
    "{\"Response\":{\"SendStatusSet\":[" status "],\"RequestId\":\"a0aabda6-cf91-4f3e\"}}"
#define OK_ANSWER ANSWER(OK_STATUS(PHONE, "5000:1045710669157053657849499619"))
#define ERROR_ANSWER(code)                                                                         \
    "{\"Response\":{\"Error\":{\"Code\":\"" code                                                   \
    "\",\"Message\":\"no\"},\"RequestId\":\"a0aabda6-cf91-4f3e\"}}"

struct loop;
struct loop_timer;

struct fixture {
    struct loop *loop;
    struct loop_timer *guard; /* ends a run that would hang */
    struct tiny_server *server;
    struct tencent_sms *sms;
    const struct sender *sender;
    /* What the server does with a SendSms or with a query after the first; NULL: accepts it. */
    void (*on_send)(struct fixture *f, struct tiny_conn *c, const char *head, const char *body);
    void (*on_query)(struct fixture *f, struct tiny_conn *c, const char *head, const char *body);
    unsigned posts;               /* SendSms that arrived */
    unsigned connections_at_post; /* made until the last of them arrived */
    bool gate_says_no;
    unsigned gate_calls;
    unsigned results;
    struct send_result last;
    uint64_t last_ticket;
    unsigned ready, probed, records;
    char probe_why[160]; /* "" for NULL */
    unsigned wanted;     /* the loop stops when results + ready + probed + records get here */
};

struct fixture_options {
    int64_t signature_life; /* 0: 15 */
    const char *token;
    void (*on_query)(struct fixture *f, struct tiny_conn *c, const char *head, const char *body);
};

/* Ready when it returns. */
void fixture_start(struct fixture *f, const struct fixture_options *o);
void fixture_end(struct fixture *f);

void fixture_send(struct fixture *f, uint64_t ticket);
/* Until n more of results, ready, probed and records have come; fails the test when they do not. */
void fixture_run(struct fixture *f, unsigned n);

#endif

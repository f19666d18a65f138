/* One request of the API while it is being answered, and the actions that answer it. */
#ifndef SENDCODE_SANDBOX_CALL_H
#define SENDCODE_SANDBOX_CALL_H

#include "common/base.h"
#include "sandbox/problem.h"

struct buf;
struct fault;
struct json;
struct sandbox;

struct call {
    struct sandbox *sandbox;
    const char *action; /* its name; "other" until it is known */
    const struct json *params;
    const struct fault *fault; /* that meets this request; NULL: none */
    struct buf *out;           /* the members of Response, without RequestId */
    struct problem problem;
    bool accepted; /* an SMS was: the answer waits for the ledger */
};

/* Each appends its members to call->out and returns 0, or returns -1 with the problem set. */
typedef int action_fn(struct call *c);

action_fn send_sms;                      /* send_sms.c */
action_fn pull_sms_send_status;          /* receipts.c */
action_fn pull_sms_send_status_by_phone; /* receipts.c */
action_fn report_conversion;             /* conversion.c */
action_fn describe_send_record_list;     /* records.c */
action_fn describe_phone_number_info;    /* lists.c */
action_fn describe_sms_sign_list;        /* lists.c */
action_fn describe_sms_template_list;    /* lists.c */

#endif

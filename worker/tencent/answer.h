/*
 * Reads the provider's answers (bytes from outside: pure, bounded, fuzzed). Strict: whatever is not
 * exactly an answer to what was asked says nothing about it.
 */
#ifndef SENDCODE_WORKER_TENCENT_ANSWER_H
#define SENDCODE_WORKER_TENCENT_ANSWER_H

#include "common/base.h"

struct send_result;

#define ANSWER_MAX_BYTES 65536

/*
 * The body of an answer with HTTP status 200 to SendSms for one phone. Fills transport
 * (SEND_ANSWERED, or SEND_NO_ANSWER with why), accepted, top_level, code, request_id, serial_no,
 * fee.
 */
void answer_read_send(const char *body, size_t len, const char *phone, struct send_result *r);

/*
 * Likewise of DescribePhoneNumberInfo: true when it is an answer; then `code` holds the refusal's
 * code, or "" when it was answered. False: why holds one sentence.
 */
NODISCARD bool answer_read_query(const char *body, size_t len, char code[96], char why[160]);

#endif

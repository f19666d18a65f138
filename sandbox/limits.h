/* Tencent's limits per number (--number-limits): same content 1 per 30 s, 2 messages a day. */
#ifndef SENDCODE_SANDBOX_LIMITS_H
#define SENDCODE_SANDBOX_LIMITS_H

#include "common/base.h"

struct message_content;
struct store;

/* "Ok" or the code of the limit that is hit. */
const char *limits_judge(const struct store *s, const char *e164,
                         const struct message_content *content, int64_t now_us);

#endif

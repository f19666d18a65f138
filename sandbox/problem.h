/* An error as Tencent words it: a code, and a message for people. */
#ifndef SENDCODE_SANDBOX_PROBLEM_H
#define SENDCODE_SANDBOX_PROBLEM_H

#include "common/base.h"

struct problem {
    char code[96];
    char message[256];
};

/* Fills *p and returns -1, so that a failing function can end with it. */
PRINTF_LIKE(3, 4) int problem_set(struct problem *p, const char *code, const char *fmt, ...);

/* Tencent's message for a business code; a general one for codes the sandbox does not know. */
const char *problem_message(const char *code);

#endif

/* The key that the sandbox accepts, from the environment as every sendcode program reads it. */
#ifndef SENDCODE_SANDBOX_ACCOUNT_H
#define SENDCODE_SANDBOX_ACCOUNT_H

#include "common/base.h"

struct buf;

struct account {
    char *secret_id;
    char *secret_key;
    char *token; /* NULL: a permanent key */
};

/* TENCENT_SECRET_ID, _SECRET_KEY, _TOKEN, their _FILE forms and TENCENTCLOUD_ twins. On faults
 * returns -1 and appends one line a fault. */
NODISCARD int account_read(struct account *a, struct buf *faults);
void account_free(struct account *a); /* wipes */

#endif

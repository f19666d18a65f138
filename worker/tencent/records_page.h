/*
 * Reads one page of DescribeSendRecordList (bytes from outside: pure, bounded, fuzzed). What is not
 * exactly a list of this number's messages in the time asked for proves nothing by its silence.
 */
#ifndef SENDCODE_WORKER_TENCENT_RECORDS_PAGE_H
#define SENDCODE_WORKER_TENCENT_RECORDS_PAGE_H

#include "common/base.h"

#define RECORDS_PAGE_MAX 50              /* the API's own bound of Limit */
#define RECORDS_PAGE_MAX_BYTES (1 << 18) /* 50 texts of 500 characters as \uXXXX, and the rest */

/* The provider's Unix seconds. */
struct records_scope {
    const char *phone;
    int64_t oldest_s, newest_s; /* what a record's time may be */
};

struct page_record {
    char serial_no[65]; /* "" if none */
    char code[96];      /* RequestCode; "" if it cannot be read */
    int64_t sent_s;
    bool accepted;
};

struct records_page {
    size_t listed; /* how many the page has; 0 also when it is none */
    int64_t total; /* TotalCount; -1: not said */
    size_t n;      /* of these, understood */
    struct page_record records[RECORDS_PAGE_MAX];
};

/*
 * The body of an answer with HTTP status 200. NULL: all of it was understood. Else one sentence,
 * which may lie in why; out then holds what was understood all the same, and code the refusal's
 * code or "".
 */
const char *records_page_read(const char *body, size_t len, const struct records_scope *scope,
                              struct records_page *out, char code[96], char why[160]);

#endif

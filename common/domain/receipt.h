/* A carrier's receipt, whichever way it comes: pushed, or asked for; and what it may say. */
#ifndef SENDCODE_COMMON_DOMAIN_RECEIPT_H
#define SENDCODE_COMMON_DOMAIN_RECEIPT_H

#include "common/base.h"

/* Bytes that a SerialNo or a carrier's code may hold; a SerialNo is told alike by all answers. */
#define RECEIPT_TEXT_SET                                                                           \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-+/=@#,;|~*"

#define RECEIPT_SERIAL_MAX 64 /* bytes */
#define RECEIPT_CODE_MAX 64
#define RECEIPT_DESCRIPTION_MAX 500

/* Texts are UTF-8; NULL when the provider did not say it, or not in a form that we know. */
struct receipt {
    const char *serial_no;
    const char *phone;  /* E.164 */
    const char *status; /* SUCCESS or FAIL */
    const char *code;   /* the carrier's */
    const char *description;
    int64_t user_received_us; /* Unix microseconds; 0: not said */
    const char *raw;          /* as it came; never NULL */
    size_t raw_len;           /* bytes of raw; 0: it ends at its NUL */
    const char *fault;        /* why it cannot be understood: for quarantine; NULL: it can */
};

#endif

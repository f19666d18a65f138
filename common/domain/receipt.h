/* What a carrier's receipt may say, whichever way it comes: pushed, or asked for. */
#ifndef SENDCODE_COMMON_DOMAIN_RECEIPT_H
#define SENDCODE_COMMON_DOMAIN_RECEIPT_H

/* Bytes that a SerialNo or a carrier's code may hold; a SerialNo is told alike by all answers. */
#define RECEIPT_TEXT_SET                                                                           \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-+/=@#,;|~*"

#define RECEIPT_SERIAL_MAX 64 /* bytes */
#define RECEIPT_CODE_MAX 64
#define RECEIPT_DESCRIPTION_MAX 500

#endif

/*
 * What went wrong, for a caller that decides by class and a person who reads the text.
 * Functions that can fail return 0/-1 (or a pointer/NULL) and fill the caller's struct err.
 */
#ifndef SENDCODE_COMMON_ERR_H
#define SENDCODE_COMMON_ERR_H

#include "common/base.h"

enum err_class {
    ERR_NONE = 0,
    ERR_TEMP, /* the same call may succeed later */
    ERR_PERM, /* the same call will fail again: input or configuration is at fault */
    ERR_BUG,  /* cannot happen */
};

struct err {
    enum err_class class;
    int code;       /* of the layer that failed: errno, a library's code; 0 if none */
    char text[512]; /* one plain sentence without a line end; no secrets, no codes, no whole phones
                     */
};

/* Fills *e (which may be NULL) and returns -1, so that a failing function can end with it. */
PRINTF_LIKE(4, 5) int err_set(struct err *e, enum err_class class, int code, const char *fmt, ...);

/* Puts "context: " before the text that is there; returns -1. */
PRINTF_LIKE(2, 3) int err_wrap(struct err *e, const char *fmt, ...);

#endif

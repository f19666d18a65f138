/*
 * JSON written straight into a buffer, for the answers of which there are many thousands a second.
 */
#ifndef SENDCODE_SANDBOX_JSON_OUT_H
#define SENDCODE_SANDBOX_JSON_OUT_H

#include "common/base.h"

struct buf;

/* The string in quotes, escaped. Bytes above 0x7f pass as they are: s is UTF-8. */
void json_out_text(struct buf *b, const char *s);

/* "key":"value" and "key":n; key needs no escaping. */
void json_out_member(struct buf *b, const char *key, const char *value);
void json_out_int(struct buf *b, const char *key, int64_t n);

#endif

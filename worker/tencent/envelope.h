/*
 * What all of Tencent's answers have in common: the envelope, its Error, and texts that pass only
 * as patterns we know. For this folder's readers of answers.
 */
#ifndef SENDCODE_WORKER_TENCENT_ENVELOPE_H
#define SENDCODE_WORKER_TENCENT_ENVELOPE_H

#include "common/base.h"

struct json;

#define ENVELOPE_ALPHANUMERIC "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define ENVELOPE_CODE ENVELOPE_ALPHANUMERIC "._"
#define ENVELOPE_ID ENVELOPE_ALPHANUMERIC "._:-"

/*
 * The Response of a body. NULL and why when there is none; the caller frees *root in either case.
 */
const struct json *envelope_open(const char *body, size_t len, struct json **root, char why[160]);

/* True when there is an Error; then its code, or "" when it is none that can be read. */
bool envelope_error(const struct json *response, char code[96]);

/*
 * The text member of obj into out when it is 1 … size-1 bytes of `set`; else false, and out is "".
 */
bool envelope_text(const struct json *obj, const char *key, const char *set, char *out,
                   size_t size);

#endif

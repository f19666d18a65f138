/*
 * The line grammar of the configuration: [section words], key = value, comments on lines of their
 * own (; or #). Values run to the end of the line, of any length; surrounding spaces are trimmed.
 */
#ifndef SENDCODE_COMMON_SETTINGS_INI_H
#define SENDCODE_COMMON_SETTINGS_INI_H

#include "common/base.h"

/* Called for each section header (key NULL) and each key. Borrowed texts. */
typedef void ini_fn(void *arg, int line, const char *section, const char *key, const char *value);
/* Called for each line that fits no rule; reading goes on. */
typedef void ini_fault_fn(void *arg, int line, const char *expected);

void ini_parse(const char *text, size_t len, ini_fn *fn, ini_fault_fn *fault, void *arg);

#endif

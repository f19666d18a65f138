/* Values from the environment, or from the file that a variable with _FILE names. */
#ifndef SENDCODE_COMMON_SETTINGS_SETTINGS_ENV_H
#define SENDCODE_COMMON_SETTINGS_SETTINGS_ENV_H

#include "common/base.h"

struct buf;
struct settings_doc;

enum env_found { ENV_NONE, ENV_FOUND, ENV_FAULT /* reported */ };

/* Puts the value, without line ends around it, into out, which the caller wipes. "" counts as
 * unset. */
NODISCARD enum env_found settings_env_get(const struct settings_doc *d, const char *name,
                                          struct buf *out);

#endif

/*
 * Who may call: those who know the secret path, from the networks that [receiver] allow names.
 * The path is compared in constant time and never told to anybody.
 */
#ifndef SENDCODE_RECEIVER_DOORMAN_H
#define SENDCODE_RECEIVER_DOORMAN_H

#include "common/base.h"

struct doorman;
struct settings;

/* Uses the settings only during the call. */
NODISCARD struct doorman *doorman_new(const struct settings *s);
void doorman_free(struct doorman *d); /* NULL is fine */

NODISCARD bool doorman_knows_path(const struct doorman *d, const char *path);

/*
 * Who calls: the peer, or the last address of X-Forwarded-For (NULL: none) where a proxy is trusted
 * and the peer may be one: it is this machine, or in allow. Lives as long as the
 * arguments; what the header holds may be no address.
 */
const char *doorman_caller(const struct doorman *d, const char *peer, const char *forwarded);

NODISCARD bool doorman_lets_in(const struct doorman *d, const char *caller);

#endif

/*
 * Lists of IPv4 and IPv6 networks, as [receiver] allow has them: "10.0.0.0/8,2001:db8::1". A
 * v4-mapped address is a v4 one.
 */
#ifndef SENDCODE_COMMON_NETWORKS_H
#define SENDCODE_COMMON_NETWORKS_H

#include "common/base.h"

struct networks;

/* NULL: that is no list of networks, with commas between. list NULL: one without any. */
NODISCARD struct networks *networks_new(const char *list);
void networks_free(struct networks *n); /* NULL is fine */

/* False, too, for what is no address. A zone ("%eth0") is passed over. */
NODISCARD bool networks_have(const struct networks *n, const char *address);

#endif

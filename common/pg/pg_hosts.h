/*
 * The hosts of a connection string, beginning with another one. libpq goes on to the next host only
 * when one refuses; of one that is silent (its machine is gone) our time-out ends the whole try.
 */
#ifndef SENDCODE_COMMON_PG_PG_HOSTS_H
#define SENDCODE_COMMON_PG_PG_HOSTS_H

#include "common/base.h"
#include "common/buf.h"

/* X(SUFFIX, keyword, environment variable): lists of one entry a host. */
#define PG_HOST_LISTS(X)                                                                           \
    X(HOST, "host", "PGHOST")                                                                      \
    X(HOSTADDR, "hostaddr", "PGHOSTADDR")                                                          \
    X(PORT, "port", "PGPORT")
#define PG_HOST_ENUM_(suffix, keyword, variable) PG_LIST_##suffix,
enum pg_host_list { PG_HOST_LISTS(PG_HOST_ENUM_) PG_LIST_COUNT };
#undef PG_HOST_ENUM_

struct pg_hosts {
    char *lists[PG_LIST_COUNT]; /* owned; NULL: not given */
    size_t n;                   /* hosts; at least 1 */
};

/* Reads them from the dsn, else from the environment, as libpq does. A malformed dsn has one. */
void pg_hosts_init(struct pg_hosts *h, const char *dsn);
void pg_hosts_free(struct pg_hosts *h);

/* The list's entries from number `first` (modulo n) on, then those before; "" when it is one entry
 * for all, or not given: what the dsn says stands. */
void pg_hosts_rotate(const struct pg_hosts *h, enum pg_host_list list, size_t first,
                     struct buf *out);

#endif

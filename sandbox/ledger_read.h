/* What an earlier sandbox accepted, from its ledger (sandbox/ledger.h) into the store. */
#ifndef SENDCODE_SANDBOX_LEDGER_READ_H
#define SENDCODE_SANDBOX_LEDGER_READ_H

#include "common/base.h"

struct err;
struct store;

/* A path that is NULL, or of no file that holds anything, gives nothing. A torn last line is cut
 * off. */
NODISCARD int ledger_read(struct store *store, const char *path, struct err *e);

#endif

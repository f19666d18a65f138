/*
 * The ground truth of every test: a file with one JSON line for each accepted SMS. Lines of one
 * turn of the loop are written together, before any of their answers leaves.
 */
#ifndef SENDCODE_SANDBOX_LEDGER_H
#define SENDCODE_SANDBOX_LEDGER_H

#include "common/buf.h"

struct err;
struct message;

struct ledger {
    int fd; /* -1: no ledger */
    struct buf lines;
};

/* path NULL: no ledger. Appends to what the file holds. */
NODISCARD int ledger_open(struct ledger *l, const char *path, struct err *e);
void ledger_close(struct ledger *l);

void ledger_add(struct ledger *l, const struct message *m);
/* Writes what was added; -1 when the disk does not take it: then nothing may be answered. */
NODISCARD int ledger_write(struct ledger *l, struct err *e);

#endif

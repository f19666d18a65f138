/*
 * Stores callbacks in PostgreSQL in the order in which they came. While one INSERT is under way the
 * others wait, and go together in the next one. Each is answered within STORE_PATIENCE_US.
 */
#ifndef SENDCODE_RECEIVER_STORE_H
#define SENDCODE_RECEIVER_STORE_H

#include "common/base.h"

struct arena;
struct callback;
struct err;
struct loop;
struct store;

/* Tencent hangs up after some seconds; what comes later than that it does not hear. */
#define STORE_PATIENCE_US (4 * US_PER_S)

struct store_handlers {
    void *arg;
    /* ticket: as given to store_add. false: not (known to be) stored; Tencent is to try again. */
    void (*done)(void *arg, void *ticket, bool stored);
    void (*drained)(void *arg);                       /* after store_drain */
    void (*schema_fault)(void *arg, const char *why); /* the program cannot go on with it */
};

NODISCARD struct store *store_new(struct loop *l, const char *dsn, const struct store_handlers *h,
                                  struct err *e);
void store_free(struct store *s); /* what is not answered is not; NULL is fine */

/* Takes the arena, in which c's receipts live. Never answers before it returns. */
void store_add(struct store *s, const struct callback *c, struct arena *arena, void *ticket);

/* Says drained, not at once, when all callbacks are answered. */
void store_drain(struct store *s);

#endif

/* Everything one running sandbox has; made by main, shared by the API and the control port. */
#ifndef SENDCODE_SANDBOX_SANDBOX_H
#define SENDCODE_SANDBOX_SANDBOX_H

#include "common/base.h"
#include "sandbox/answers.h"
#include "sandbox/auth.h"
#include "sandbox/callbacks.h"
#include "sandbox/dice.h"
#include "sandbox/fault.h"
#include "sandbox/ledger.h"
#include "sandbox/options.h"
#include "sandbox/receipt_order.h"
#include "sandbox/stats.h"
#include "sandbox/store.h"
#include "sandbox/world.h"

struct loop;

struct sandbox {
    struct options options;
    struct loop *loop;
    struct world world;
    struct auth auth;
    struct dice dice;
    struct store store;
    struct ledger ledger;
    struct faults faults;
    struct answers answers;
    struct stats stats;
    struct callbacks callbacks;
    struct receipt_orders orders;
    struct buf scratch; /* of the answer being made */
    int exit_code;
};

/* Unix time in microseconds by the sandbox's own clock (--clock-skew). */
int64_t sandbox_now_us(const struct sandbox *s);

#endif

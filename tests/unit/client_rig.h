/* A signed client on a loop, in front of a test server that plays Tencent. */
#ifndef SENDCODE_TESTS_UNIT_CLIENT_RIG_H
#define SENDCODE_TESTS_UNIT_CLIENT_RIG_H

#include "common/base.h"
#include "tests/unit/tiny_server.h"

#define PHONE "+8613800138000"
#define PROVIDER_START 1700000000 /* their time when a test starts; the wall clock's is far off */

struct loop;
struct signed_client;

struct client_rig {
    struct loop *loop;
    struct tiny_server *server;
    struct signed_client *client;
};

/* The client does not know the provider's clock yet. */
void client_rig_start(struct client_rig *r, int timeout_s, unsigned max_requests,
                      tiny_server_fn *on_request, void *arg);
void client_rig_learn(struct client_rig *r, int64_t date_s); /* the clock, as from an answer */
void client_rig_end(struct client_rig *r);                   /* after who asks by the client */

#endif

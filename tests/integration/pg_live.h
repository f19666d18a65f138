/* For tests on a real PostgreSQL: databases of their own, and a loop that is run until … */
#ifndef SENDCODE_TESTS_INTEGRATION_PG_LIVE_H
#define SENDCODE_TESTS_INTEGRATION_PG_LIVE_H

#include "common/base.h"

struct loop;
struct pg_sync;

/* The server's superuser connection string; fails the test when none is given. */
const char *live_dsn(void);

/* A new database `name`_PID with its connection string, live until live_drop_database. */
struct live_database {
    char name[64];
    char dsn[512];
    struct pg_sync *admin; /* a connection into it */
};
void live_make_database(struct live_database *d, const char *name);
void live_drop_database(struct live_database *d);

/* One statement, which must pass; its first cell into out (may be NULL), "" if there is none. */
void live_sql(struct live_database *d, const char *sql, char *out, size_t size);
void live_sql_file(struct live_database *d, const char *path);

/* Runs the loop until done(arg); every callback of a test calls loop_stop. Fails after 30 s. */
typedef bool live_done_fn(const void *arg);
void live_run(struct loop *l, live_done_fn *done, const void *arg);

/* Runs the loop for one turn, so that what was asked for is on its way. */
void live_turn(struct loop *l);

/* Of the adapter's backends (of worker-1) those that wait for a lock: calls the SQL function, which
 * ends or cancels a backend, with their pids, until none waits any more. */
void live_hurt_waiting(struct live_database *d, const char *function);

#endif

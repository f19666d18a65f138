/* Who the worker is for PostgreSQL. */
#include "worker/pg/pg_worker_session.h"

#include <stdio.h>

#include "common/settings/settings.h"

struct pg_session *pg_worker_session_new(struct loop *l, const struct settings *s,
                                         const struct pg_session_handlers *h, struct err *e)
{
    char name[128];
    const struct pg_session_options options = {
        .dsn = s->postgres.dsn,
        .application_name = name,
        .role = "sendcode_worker",
    };

    snprintf(name, sizeof name, "sendcode-worker %s", s->worker.name);
    return pg_session_new(l, &options, h, e);
}

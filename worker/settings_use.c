/* Counts who still uses a set of settings. */
#include "worker/settings_use.h"

#include "common/mem.h"
#include "common/settings/settings.h"

struct settings_use *settings_use_new(struct settings *s)
{
    struct settings_use *u = mem_must_alloc(sizeof(*u));
    u->settings = s;
    u->users = 1;
    return u;
}

struct settings_use *settings_use_add(struct settings_use *u)
{
    u->users++;
    return u;
}

void settings_use_drop(struct settings_use *u)
{
    if (!u || --u->users > 0)
        return;
    settings_free(u->settings);
    mem_free(u);
}

/*
 * Settings that jobs point into. A reload gives the pipeline new ones; the old ones live until the
 * last job parsed with them is done.
 */
#ifndef SENDCODE_WORKER_SETTINGS_USE_H
#define SENDCODE_WORKER_SETTINGS_USE_H

#include "common/base.h"

struct settings;

struct settings_use {
    struct settings *settings; /* owned */
    size_t users;
};

struct settings_use *settings_use_new(struct settings *s); /* counts as one use */
struct settings_use *settings_use_add(struct settings_use *u);
void settings_use_drop(struct settings_use *u); /* the last one frees; NULL is fine */

#endif

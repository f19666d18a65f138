/* The receiver as a whole: from its settings to its end. */
#ifndef SENDCODE_RECEIVER_RECEIVER_H
#define SENDCODE_RECEIVER_RECEIVER_H

#include "common/base.h"
#include "common/settings/settings.h"

#define RECEIVER_NEEDS SETTINGS_NEED_RECEIVER

/* Runs until a signal ends it; returns the exit code. Frees the settings. */
int receiver_run(struct settings *s);

#endif

/* Whole small files, as configuration and secrets are. */
#ifndef SENDCODE_COMMON_SETTINGS_SETTINGS_FILE_H
#define SENDCODE_COMMON_SETTINGS_SETTINGS_FILE_H

#include "common/base.h"

struct buf;

/* Appends the file's bytes, at most out->max. 0, or the errno that says why not. */
NODISCARD int settings_file_read(const char *path, struct buf *out);

#endif

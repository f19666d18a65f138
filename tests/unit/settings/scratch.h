/* A configuration file and an environment for one test; faults and dumps as text. */
#ifndef SENDCODE_TESTS_UNIT_SETTINGS_SCRATCH_H
#define SENDCODE_TESTS_UNIT_SETTINGS_SCRATCH_H

#include "common/settings/settings.h"

#define SCRATCH_KEY_A "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"
#define SCRATCH_KEY_B "1111111111111111111111111111111111111111111111111111111111111111"
#define SCRATCH_NEEDS_ALL                                                                          \
    (SETTINGS_NEED_KAFKA | SETTINGS_NEED_POSTGRES | SETTINGS_NEED_TENCENT |                        \
     SETTINGS_NEED_CODE_KEY | SETTINGS_NEED_VERIFY_KEY)

/* A file with the minimum that every program needs; scratch_set_secrets has the environment's. */
extern const char scratch_minimum[];

void scratch_set_secrets(void);
void scratch_clear_environment(void);

/* Writes text to the path of this test program; the path is valid until the next call. */
const char *scratch_write(const char *text);

/* Loads text as a file; the test fails on faults. The caller frees. */
struct settings *scratch_load(const char *text, unsigned needs);

/* The faults of text, each line without the path in front; "" if there are none. Valid until the
 * next call. */
const char *scratch_faults(const char *text, unsigned needs);

#endif

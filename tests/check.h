/* cmocka, behind the headers that it needs but does not include. */
#ifndef SENDCODE_TESTS_CHECK_H
#define SENDCODE_TESTS_CHECK_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */

#endif

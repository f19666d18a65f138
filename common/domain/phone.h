/* Phone numbers in E.164, as CONTRACT.md sections 2 and 3 have them. */
#ifndef SENDCODE_COMMON_DOMAIN_PHONE_H
#define SENDCODE_COMMON_DOMAIN_PHONE_H

#include "common/base.h"

#define PHONE_MAX 16 /* '+' and 15 digits */

NODISCARD bool phone_is_valid(const char *s, size_t len);

/* "+86138****8000": '+', the first max(0, min(5, n-8)) of n digits, "****", the last 4. Valid
 * phones only. */
void phone_mask(const char *phone, char out[PHONE_MAX + 8]);

/* The country calling code's length in digits (1-3), longest match in E.164's table; 0 if
 * unassigned. */
size_t phone_country_digits(const char *phone);

/* The text is an assigned country calling code, without '+': "86". */
NODISCARD bool phone_is_country_code(const char *code);

/* "+" and the two parts, cut to fit. False: that is no valid phone of an assigned country. */
NODISCARD bool phone_join(const char *country_code, const char *rest, char out[PHONE_MAX + 1]);

/* True when the number's country calling code is one of the n codes ("86", "852"). */
bool phone_in_countries(const char *phone, char *const *codes, size_t n);

#endif

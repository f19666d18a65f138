/* Phone numbers in E.164: their form, their mask, and where their country code ends. */
#include "common/domain/phone.h"

#include <stdio.h>
#include <string.h>

/* Country codes of three digits assigned by the ITU (E.164, with the global services). */
static const char three_digits[] =
    "211 212 213 216 218 220 221 222 223 224 225 226 227 228 229 230 231 232 233 234 235 236 237 "
    "238 239 240 241 242 243 244 245 246 247 248 249 250 251 252 253 254 255 256 257 258 260 261 "
    "262 263 264 265 266 267 268 269 290 291 297 298 299 350 351 352 353 354 355 356 357 358 359 "
    "370 371 372 373 374 375 376 377 378 379 380 381 382 383 385 386 387 389 420 421 423 500 501 "
    "502 503 504 505 506 507 508 509 590 591 592 593 594 595 596 597 598 599 670 672 673 674 675 "
    "676 677 678 679 680 681 682 683 685 686 687 688 689 690 691 692 800 808 850 852 853 855 856 "
    "870 878 880 881 882 883 886 888 960 961 962 963 964 965 966 967 968 970 971 972 973 974 975 "
    "976 977 979 992 993 994 995 996 998 ";
static const char two_digits[] = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 "
                                 "54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 "
                                 "95 98 ";
static const char one_digit[] = "1 7 ";

bool phone_is_valid(const char *s, size_t len)
{
    if (len < 9 || len > PHONE_MAX || s[0] != '+' || s[1] == '0')
        return false;
    for (size_t i = 1; i < len; i++)
        if (s[i] < '0' || s[i] > '9')
            return false;
    return true;
}

void phone_mask(const char *phone, char out[PHONE_MAX + 8])
{
    int digits = (int)strlen(phone) - 1;
    int head = MAX(0, MIN(5, digits - 8));
    char *at = out;
    *at++ = '+';
    memcpy(at, phone + 1, (size_t)head);
    at += head;
    memcpy(at, "****", 4);
    at += 4;
    memcpy(at, phone + 1 + digits - 4, 4);
    at[4] = '\0';
}

/* The first `digits` of number are one of the codes in the list, each followed by a space. */
static bool is_listed(const char *list, const char *number, size_t digits)
{
    for (const char *code = list; *code != '\0'; code += digits + 1)
        if (strncmp(code, number, digits) == 0)
            return true;
    return false;
}

/* No code is the beginning of another, so at most one of these fits. */
static size_t code_digits(const char *number)
{
    if (is_listed(one_digit, number, 1))
        return 1;
    if (is_listed(two_digits, number, 2))
        return 2;
    return is_listed(three_digits, number, 3) ? 3 : 0;
}

size_t phone_country_digits(const char *phone)
{
    return code_digits(phone + 1);
}

bool phone_is_country_code(const char *code)
{
    size_t len = strlen(code);
    return len > 0 && code_digits(code) == len;
}

bool phone_join(const char *country_code, const char *rest, char out[PHONE_MAX + 1])
{
    int len = snprintf(out, PHONE_MAX + 1, "+%s%s", country_code, rest);
    return len <= PHONE_MAX && phone_is_country_code(country_code) &&
           phone_is_valid(out, (size_t)len);
}

bool phone_in_countries(const char *phone, char *const *codes, size_t n)
{
    size_t digits = phone_country_digits(phone);
    for (size_t i = 0; digits > 0 && i < n; i++)
        if (strlen(codes[i]) == digits && strncmp(phone + 1, codes[i], digits) == 0)
            return true;
    return false;
}

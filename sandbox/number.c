/* Normalises phone numbers as Tencent does, and knows the ISO names of the usual countries. */
#include "sandbox/number.h"

#include <string.h>

#include "common/domain/phone.h"
#include "common/text.h"

#define DIGITS "0123456789"

struct country {
    const char *code;
    const char *iso_code;
    const char *iso_name;
};

static const struct country countries[] = {
    {"86",  "CN", "China"         },
    {"852", "HK", "Hong Kong"     },
    {"853", "MO", "Macao"         },
    {"886", "TW", "Taiwan"        },
    {"1",   "US", "United States" },
    {"7",   "RU", "Russia"        },
    {"33",  "FR", "France"        },
    {"34",  "ES", "Spain"         },
    {"39",  "IT", "Italy"         },
    {"44",  "GB", "United Kingdom"},
    {"49",  "DE", "Germany"       },
    {"55",  "BR", "Brazil"        },
    {"60",  "MY", "Malaysia"      },
    {"61",  "AU", "Australia"     },
    {"62",  "ID", "Indonesia"     },
    {"63",  "PH", "Philippines"   },
    {"65",  "SG", "Singapore"     },
    {"66",  "TH", "Thailand"      },
    {"81",  "JP", "Japan"         },
    {"82",  "KR", "South Korea"   },
    {"84",  "VN", "Vietnam"       },
    {"91",  "IN", "India"         },
};

/* 11 digits: 1, then 3 to 9, then nine more. */
static bool is_mainland(const char *s, size_t len)
{
    return len == 11 && s[0] == '1' && s[1] >= '3' && s[1] <= '9';
}

/* Finds in s the digits behind the plus sign; false when they cannot be told. */
static bool split(const char *s, bool *local, const char **digits)
{
    size_t len = strlen(s);
    *local = false;
    if (s[0] == '+') {
        *digits = s + 1;
    } else if (is_mainland(s, len)) {
        *local = true;
        *digits = s;
    } else if (strncmp(s, "00", 2) == 0) {
        *digits = s + 2;
    } else if (strncmp(s, "86", 2) == 0 && len == 13) {
        *digits = s;
    } else {
        return false;
    }
    return true;
}

static void name_country(struct number *n)
{
    n->iso_code = "DEF";
    n->iso_name = "";
    for (size_t i = 0; i < ARRAY_LEN(countries); i++) {
        if (strlen(countries[i].code) == n->nation_digits &&
            strncmp(n->e164 + 1, countries[i].code, n->nation_digits) == 0) {
            n->iso_code = countries[i].iso_code;
            n->iso_name = countries[i].iso_name;
            return;
        }
    }
}

bool number_from_text(const char *s, struct number *out)
{
    bool local;
    const char *digits;
    if (!split(s, &local, &digits))
        return false;
    size_t len = strlen(digits);
    size_t prefix = local ? 3 : 1;
    if (len == 0 || prefix + len >= NUMBER_SIZE || !text_all_in(digits, len, DIGITS))
        return false;
    memcpy(out->e164, local ? "+86" : "+", prefix);
    memcpy(out->e164 + prefix, digits, len + 1);
    if (!phone_is_valid(out->e164, prefix + len))
        return false;
    out->nation_digits = (unsigned)phone_country_digits(out->e164);
    if (out->nation_digits == 0)
        return false;
    out->mainland = strncmp(out->e164, "+86", 3) == 0;
    if (out->mainland && !is_mainland(out->e164 + 3, strlen(out->e164 + 3)))
        return false;
    name_country(out);
    return true;
}

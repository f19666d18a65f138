/* Parameters against their table: unknown, missing, of a wrong type. */
#include "sandbox/params.h"

#include <string.h>

#include "common/json.h"
#include "sandbox/problem.h"

struct check {
    const struct param_rule *rules;
    size_t n;
    uint32_t seen; /* bit i: rule i */
    struct problem *p;
    bool failed;
};

static bool type_fits(const struct json *j, enum param_type type)
{
    int64_t ignored;
    switch (type) {
    case PARAM_TEXT: {
        size_t len;
        const char *s = json_string(j, &len);
        return s && strlen(s) == len;
    }
    case PARAM_INT:
        return json_int(j, &ignored);
    case PARAM_TEXTS:
    case PARAM_INTS:
        if (json_type(j) != JSON_ARRAY)
            return false;
        for (size_t i = 0; i < json_length(j); i++) {
            if (!type_fits(json_at(j, i), type == PARAM_TEXTS ? PARAM_TEXT : PARAM_INT))
                return false;
        }
        return true;
    }
    return false;
}

static void check_one(void *arg, const char *key, const struct json *value)
{
    struct check *c = arg;
    if (c->failed)
        return;
    for (size_t i = 0; i < c->n; i++) {
        if (strcmp(c->rules[i].name, key) != 0)
            continue;
        c->seen |= UINT32_C(1) << i;
        if (!type_fits(value, c->rules[i].type)) {
            problem_set(c->p, "InvalidParameter", "The value type of parameter `%s` is not valid.",
                        key);
            c->failed = true;
        }
        return;
    }
    problem_set(c->p, "UnknownParameter", "The parameter `%.60s` is not recognized.", key);
    c->failed = true;
}

int params_check(const struct json *params, const struct param_rule *rules, size_t n,
                 struct problem *p)
{
    struct check c = {.rules = rules, .n = n, .p = p};
    json_each(params, check_one, &c);
    if (c.failed)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (rules[i].required && !(c.seen & (UINT32_C(1) << i)))
            return problem_set(p, "MissingParameter",
                               "The request is missing a required parameter `%s`.", rules[i].name);
    }
    return 0;
}

int params_check_phones(const struct json *phones, struct problem *p)
{
    if (json_length(phones) == 0)
        return problem_set(p, "MissingParameter.EmptyPhoneNumberSet",
                           "The list of phone numbers is empty.");
    if (json_length(phones) > NUMBERS_MAX)
        return problem_set(p, "LimitExceeded.PhoneNumberCountLimit",
                           "The number of phone numbers in one request exceeds %d.", NUMBERS_MAX);
    return 0;
}

const char *params_text(const struct json *params, const char *name)
{
    const char *s = json_get_text(params, name);
    return s ? s : "";
}

const char *params_at(const struct json *texts, size_t i)
{
    size_t len;
    return json_string(json_at(texts, i), &len);
}

int64_t params_int(const struct json *params, const char *name, int64_t otherwise)
{
    int64_t n;
    return json_int(json_get(params, name), &n) ? n : otherwise;
}

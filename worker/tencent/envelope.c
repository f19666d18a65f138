/* The common parts of Tencent's answers, over common/json. */
#include "worker/tencent/envelope.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/json.h"
#include "common/text.h"

static const struct json_limits answer_limits = {.max_depth = 8, .unique_top_keys = true};

bool envelope_text(const struct json *obj, const char *key, const char *set, char *out, size_t size)
{
    size_t len = 0;
    const char *s = json_string(json_get(obj, key), &len);

    out[0] = '\0';
    if (!s || len == 0 || len >= size || !text_all_in(s, len, set))
        return false;
    memcpy(out, s, len);
    out[len] = '\0';
    return true;
}

const struct json *envelope_open(const char *body, size_t len, struct json **root, char why[160])
{
    struct err e = {0};
    const struct json *response;

    *root = json_parse(body, len, &answer_limits, &e);
    if (!*root) {
        snprintf(why, 160, "the answer is not JSON: %.120s", e.text);
        return NULL;
    }
    response = json_get(*root, "Response");
    if (json_type(response) != JSON_OBJECT) {
        snprintf(why, 160, "the answer has no Response");
        return NULL;
    }
    return response;
}

bool envelope_error(const struct json *response, char code[96])
{
    code[0] = '\0';
    if (!json_has(response, "Error"))
        return false;
    (void)envelope_text(json_get(response, "Error"), "Code", ENVELOPE_CODE, code, 96);
    return true;
}

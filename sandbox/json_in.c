/* What the control port is posted, member by member, each fault in one sentence. */
#include "sandbox/json_in.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/json.h"

struct stray {
    const char *const *known;
    char key[40]; /* the first member that is not known; "" if none */
};

static void note_stray(void *arg, const char *key, const struct json *value UNUSED)
{
    struct stray *s = arg;
    for (size_t i = 0; s->known[i]; i++) {
        if (strcmp(s->known[i], key) == 0)
            return;
    }
    if (s->key[0] == 0)
        snprintf(s->key, sizeof s->key, "%s", key);
}

int json_in_check(const struct json *obj, const char *where, const char *const *known,
                  struct err *e)
{
    struct stray stray = {.known = known};
    if (json_type(obj) != JSON_OBJECT)
        return err_set(e, ERR_PERM, 0, "%s must be a JSON object", where);
    json_each(obj, note_stray, &stray);
    if (stray.key[0])
        return err_set(e, ERR_PERM, 0, "%s has no member \"%.30s\": see sendcode-sandbox(1)", where,
                       stray.key);
    return 0;
}

int json_in_int(const struct json *obj, const char *key, int64_t lo, int64_t hi, int64_t *out,
                struct err *e)
{
    const struct json *j = json_get(obj, key);
    int64_t n;
    if (!json_has(obj, key))
        return 0;
    if (!json_int(j, &n) || n < lo || n > hi)
        return err_set(e, ERR_PERM, 0, "\"%s\" must be an integer from %lld to %lld", key,
                       (long long)lo, (long long)hi);
    *out = n;
    return 0;
}

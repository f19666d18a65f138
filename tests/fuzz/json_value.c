/* Any bytes as JSON: what the grammar takes json-c takes too, and it reads back as itself. */
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/json.h"
#include "common/json_scan.h"
#include "common/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct json_limits loose = {.max_depth = 64};
static const struct json_limits strict = {.max_depth = 64, .unique_top_keys = true};

static void must_read_back(struct json *j)
{
    struct err e = {0};
    size_t len, again_len;
    const char *text = json_text(j, &len);
    struct json *again = json_parse(text, len, &loose, &e);
    if (again == NULL)
        abort();
    const char *again_text = json_text(again, &again_len);
    if (len != again_len || memcmp(text, again_text, len) != 0)
        abort();
    json_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    struct err e = {0};
    unsigned deepest = 0;
    bool well_formed = text_is_utf8(bytes, size) &&
                       json_scan(bytes, size, &deepest, NULL, NULL) == JSON_SCAN_OK &&
                       deepest <= loose.max_depth;
    struct json *j = json_parse(bytes, size, &loose, &e);
    if ((j != NULL) != well_formed)
        abort();
    if (j != NULL && json_type(j) != JSON_NULL)
        must_read_back(j);
    json_free(j);

    j = json_parse(bytes, size, &strict, &e);
    if (j == NULL && well_formed && e.code != JSON_REPEATED_KEY)
        abort();
    json_free(j);
    return 0;
}

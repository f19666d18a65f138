/*
 * Any bytes as the headers and body of a request, a line each: none is signed with our key, so
 * none may pass.
 */
#include <stdlib.h>
#include <string.h>

#include "common/settings/settings.h"
#include "sandbox/auth.h"
#include "sandbox/problem.h"

#define NOW 1700000000
#define LINES 6

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char secret_id[] = "AKIDexample";
    static char secret_key[] = "a key that no corpus holds";
    static const struct settings settings = {
        .secrets = {.tencent_secret_id = secret_id, .tencent_secret_key = secret_key}
    };
    struct auth auth = {.settings = &settings};
    struct problem p = {0};
    char *lines[LINES] = {NULL};
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = 0;
    char *rest = text;
    for (size_t i = 0; i < LINES && rest; i++)
        lines[i] = strsep(&rest, "\n");
    struct auth_request req = {
        .authorization = lines[0],
        .timestamp = lines[1],
        .host = lines[2],
        .content_type = lines[3],
        .action = lines[4] ? lines[4] : "",
        .body = lines[5] ? lines[5] : "",
        .body_len = lines[5] ? strlen(lines[5]) : 0,
    };
    if (auth_check(&auth, &req, NOW, &p) == 0 || p.code[0] == 0)
        abort();
    free(text);
    return 0;
}

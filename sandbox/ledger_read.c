/*
 * Reads a ledger that an earlier sandbox left: a provider does not forget what it accepted because
 * it was started anew.
 */
#include "sandbox/ledger_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/json.h"
#include "common/log.h"
#include "common/text.h"
#include "sandbox/store.h"

static bool read_content(const struct json *j, struct message_content *content)
{
    const struct json *params = json_get(j, "params");

    *content = (struct message_content){
        .template_id = json_get_text(j, "template_id"),
        .sign_name = json_get_text(j, "sign_name"),
        .session_context = json_get_text(j, "session_context"),
        .app_id = "",
        .n_params = json_length(params),
    };
    if (!content->template_id || !content->sign_name || !content->session_context ||
        json_type(params) != JSON_ARRAY || content->n_params > MESSAGE_PARAMS_MAX)
        return false;
    for (size_t i = 0; i < content->n_params; i++) {
        size_t len;
        content->params[i] = json_string(json_at(params, i), &len);
        if (!content->params[i] || strlen(content->params[i]) != len)
            return false;
    }
    return true;
}

static bool read_message(struct store *store, const struct json *j)
{
    const char *phone = json_get_text(j, "phone");
    const char *serial_no = json_get_text(j, "serial_no");
    const char *at = json_get_text(j, "at");
    struct message_content content;
    struct number number;
    int64_t at_us;
    if (!phone || !number_from_text(phone, &number) || strcmp(phone, number.e164) != 0 ||
        !serial_no || !serial_no[0] || strlen(serial_no) >= SERIAL_NO_SIZE || !at ||
        !text_to_time_us(at, strlen(at), &at_us) || !read_content(j, &content))
        return false;
    store_add(store, number.e164, &content, serial_no, "Ok", at_us);
    return true;
}

static bool read_line(struct store *store, const char *line, size_t len)
{
    struct json *j = json_parse(line, len, &(struct json_limits){.max_depth = 4}, NULL);
    bool ok = j && read_message(store, j);
    json_free(j);
    return ok;
}

/* A line that was not written to its end was never answered: it did not happen. */
static int drop_torn_line(const char *path, off_t end, struct err *e)
{
    if (truncate(path, end) < 0)
        return err_set(e, ERR_PERM, errno, "--ledger %s cannot be cut to its last whole line: %s",
                       path, strerror(errno));
    log_warn("the ledger's last line was not written to its end, and is dropped");
    return 0;
}

static int read_lines(struct store *store, FILE *f, const char *path, struct err *e)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    off_t end = 0;
    long n = 0;
    int rc = 0;
    while (rc == 0 && (len = getline(&line, &size, f)) > 0) {
        n++;
        if (line[len - 1] != '\n')
            rc = drop_torn_line(path, end, e);
        else if (!read_line(store, line, (size_t)len))
            rc = err_set(e, ERR_PERM, 0,
                         "--ledger %s: line %ld is no accepted SMS; name another file", path, n);
        end += len;
    }
    if (rc == 0 && ferror(f))
        rc = err_set(e, ERR_PERM, errno, "--ledger %s cannot be read: %s", path, strerror(errno));
    free(line);
    return rc;
}

int ledger_read(struct store *store, const char *path, struct err *e)
{
    struct stat st;
    if (!path || stat(path, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
        return 0;
    FILE *f = fopen(path, "re");
    if (!f)
        return err_set(e, ERR_PERM, errno, "--ledger %s cannot be read: %s", path, strerror(errno));
    int rc = read_lines(store, f, path, e);
    fclose(f);
    return rc;
}

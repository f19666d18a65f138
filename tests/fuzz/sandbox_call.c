/*
 * Any bytes as the body of a well signed request; the first byte chooses the action. Whatever they
 * are, the answer is sound JSON or one of Tencent's errors.
 */
#include <stdlib.h>

#include "common/json.h"
#include "sandbox/call.h"
#include "sandbox/sandbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static action_fn *const actions[] = {
    send_sms,
    pull_sms_send_status,
    pull_sms_send_status_by_phone,
    describe_send_record_list,
    describe_phone_number_info,
    describe_sms_sign_list,
    describe_sms_template_list,
};

static void check_sound(const struct buf *out)
{
    struct json *j =
        json_parse(buf_text(out), out->len, &(struct json_limits){.max_depth = 8}, NULL);
    if (!j)
        abort();
    json_free(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sandbox sandbox = {.world.open = true, .ledger.fd = -1};
    if (size == 0)
        return 0;
    struct json *params =
        json_parse((const char *)data + 1, size - 1, &(struct json_limits){.max_depth = 8}, NULL);
    if (!params || json_type(params) != JSON_OBJECT) {
        json_free(params);
        return 0;
    }
    struct buf out = BUF_INIT;
    sandbox.options.number_limits = data[0] >= 128;
    struct call call = {.sandbox = &sandbox, .params = params, .out = &out};
    buf_add_char(&out, '{');
    int rc = actions[data[0] % ARRAY_LEN(actions)](&call);
    buf_add_char(&out, '}');
    if (rc == 0)
        check_sound(&out);
    else if (call.problem.code[0] == 0 || call.problem.message[0] == 0)
        abort();
    if (sandbox.store.messages) {
        buf_clear(&out);
        message_add_json(sandbox.store.messages->prev, &out);
        check_sound(&out);
    }
    /* A few stay for the queries to find. */
    if (sandbox.store.n > 20)
        store_clear(&sandbox.store);
    buf_free(&out);
    json_free(params);
    return 0;
}

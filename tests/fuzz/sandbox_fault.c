/* Any bytes posted to /faults: refused with a sentence, or taken and told again as sound JSON. */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/json.h"
#include "sandbox/dice.h"
#include "sandbox/fault.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_told(const struct fault *f)
{
    struct buf out = BUF_INIT;
    fault_add_json(f, &out);
    struct json *told =
        json_parse(buf_text(&out), out.len, &(struct json_limits){.max_depth = 8}, NULL);
    if (!told)
        abort();
    json_free(told);
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct faults all = {0};
    struct err e = {0};
    struct dice dice;
    const char *phone = "+8613800138000";
    struct fault *f = fault_parse((const char *)data, size, &e);
    if (!f) {
        if (e.text[0] == 0 || strchr(e.text, '\n'))
            abort();
        return 0;
    }
    check_told(f);
    if (faults_add(&all, f, &e) < 0)
        abort();
    dice_init(&dice, 1);
    for (int i = 0; i < 3; i++)
        (void)faults_pick(&all, "SendSms", &phone, 1, i, &dice);
    if (f->times > 0 && f->used > f->times)
        abort();
    faults_clear(&all);
    return 0;
}

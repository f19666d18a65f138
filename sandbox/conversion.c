/* ReportConversion: the user of an accepted message did what it was for. /messages shows when. */
#include <string.h>

#include "common/buf.h"
#include "sandbox/call.h"
#include "sandbox/params.h"
#include "sandbox/sandbox.h"

static const struct param_rule rules[] = {
    {"SmsSdkAppId",    PARAM_TEXT, true},
    {"SerialNo",       PARAM_TEXT, true},
    {"ConversionTime", PARAM_INT,  true},
};

/* From the newest back: conversions are reported soon. */
static struct message *find_message(const struct store *s, const char *serial_no)
{
    struct message *m = s->messages ? s->messages->prev : NULL;
    while (m && strcmp(m->serial_no, serial_no) != 0)
        m = m == s->messages ? NULL : m->prev;
    return m;
}

int report_conversion(struct call *c)
{
    if (params_check(c->params, rules, ARRAY_LEN(rules), &c->problem) < 0 ||
        world_check_app(&c->sandbox->world, params_text(c->params, "SmsSdkAppId"), &c->problem) < 0)
        return -1;
    const char *serial_no = params_text(c->params, "SerialNo");
    int64_t at_s = params_int(c->params, "ConversionTime", 0);
    struct message *m = serial_no[0] ? find_message(&c->sandbox->store, serial_no) : NULL;
    if (!m || strcmp(m->content.app_id, params_text(c->params, "SmsSdkAppId")) != 0)
        return problem_set(&c->problem, "InvalidParameterValue",
                           "The SerialNo was not given out to this application.");
    if (at_s <= 0 || at_s > sandbox_now_us(c->sandbox) / US_PER_S)
        return problem_set(&c->problem, "InvalidParameterValue",
                           "ConversionTime must be a Unix time that has come.");
    m->converted_s = at_s;
    buf_add_text(c->out, "\"ReportConversionStatus\":{\"Code\":\"ok\","
                         "\"Message\":\"report success\"}");
    return 0;
}

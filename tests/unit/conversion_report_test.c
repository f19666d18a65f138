/* Reports of conversions, in front of a server that plays Tencent. */
#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/loop.h"
#include "tests/check.h"
#include "tests/unit/client_rig.h"
#include "worker/tencent/conversion_report.h"

#define ERROR(code) "{\"Response\":{\"Error\":{\"Code\":\"" code "\",\"Message\":\"m\"}}}"
#define STATUS(code)                                                                               \
    "{\"Response\":{\"ReportConversionStatus\":{\"Code\":\"" code "\",\"Message\":\"m\"}}}"

struct rig {
    struct client_rig base;
    struct conversion_reports *reports;
    struct conversions_provider port;
    const char *reply; /* NULL: hangs up */
    int status;
    char action[64], app[32], serial_no[65];
    int64_t at_s;
    size_t members;
    unsigned told;
    enum conversion_fate fate;
    char why[160];
};

static struct rig rig;

static void count(void *arg, UNUSED const char *name, UNUSED const struct json *value)
{
    ++*(size_t *)arg;
}

static void on_request(void *arg, struct tiny_conn *c, const char *head, const char *body)
{
    struct rig *r = arg;
    struct json *j = json_parse(body, strlen(body), &(struct json_limits){.max_depth = 4}, NULL);

    tiny_header(head, "X-TC-Action", r->action, sizeof(r->action));
    snprintf(r->app, sizeof(r->app), "%s", json_get_text(j, "SmsSdkAppId"));
    snprintf(r->serial_no, sizeof(r->serial_no), "%s", json_get_text(j, "SerialNo"));
    assert_true(json_int(json_get(j, "ConversionTime"), &r->at_s));
    r->members = 0;
    json_each(j, count, &r->members);
    json_free(j);
    if (r->reply)
        tiny_conn_reply(c, r->status, PROVIDER_START, r->reply);
    else
        tiny_conn_close(c, false);
}

static void on_told(void *arg, enum conversion_fate fate, const char *why)
{
    struct rig *r = arg;

    r->told++;
    r->fate = fate;
    snprintf(r->why, sizeof(r->why), "%s", why ? why : "");
    loop_stop(r->base.loop);
}

static int start(UNUSED void **state)
{
    struct rig *r = &rig;
    const struct conversions_provider_handlers h = {.arg = r, .told = on_told};

    *r = (struct rig){.status = 200};
    client_rig_start(&r->base, 60, CONVERSION_REPORTS_MAX, on_request, r);
    r->reports = conversion_reports_new(r->base.client, &h);
    r->port = conversion_reports_port(r->reports);
    assert_false(r->port.is_ready(r->port.self));
    client_rig_learn(&r->base, PROVIDER_START);
    assert_true(r->port.is_ready(r->port.self));
    return 0;
}

static int end(UNUSED void **state)
{
    conversion_reports_free(rig.reports);
    client_rig_end(&rig.base);
    return 0;
}

static void tell(const char *reply, int status)
{
    static const struct conversion c = {
        .scene = "login", .serial_no = "2640:1", .verified_us = 1700000001999999};
    unsigned before = rig.told;

    rig.reply = reply;
    rig.status = status;
    rig.port.tell(rig.port.self, "1400006666", &c);
    assert_int_equal(rig.told, before); /* never before the call returns */
    loop_run(rig.base.loop);
    assert_int_equal(rig.told, before + 1);
}

static void it_says_which_message_and_when_its_code_was_verified(UNUSED void **state)
{
    tell(STATUS("ok"), 200);
    assert_string_equal(rig.action, "ReportConversion");
    assert_string_equal(rig.app, "1400006666");
    assert_string_equal(rig.serial_no, "2640:1");
    assert_int_equal(rig.at_s, 1700000001);
    assert_int_equal(rig.members, 3);
}

static void what_it_says_decides_whether_it_is_told_again(UNUSED void **state)
{
    static const struct {
        const char *reply;
        int status;
        enum conversion_fate fate;
        const char *why;
    } table[] = {
        {STATUS("ok"),                                         200, CONVERSION_REPORTED, ""                       },
        {STATUS("Ok"),                                         200, CONVERSION_REPORTED, ""                       },
        {STATUS("InvalidParameterValue"),                      200, CONVERSION_REFUSED,  "InvalidParameterValue"  },
        {STATUS("busy"),                                       200, CONVERSION_FAILED,   "busy"                   },
        {ERROR("InvalidParameterValue"),                       200, CONVERSION_REFUSED,  "InvalidParameterValue"  },
        {ERROR("UnauthorizedOperation.x"),                     200, CONVERSION_FAILED,   "UnauthorizedOperation.x"},
        {ERROR("UnauthorizedOperation.SmsSdkAppIdVerifyFail"), 200, CONVERSION_REFUSED,
         "SmsSdkAppIdVerifyFail"                                                                                  },
        {ERROR("no code"),                                     200, CONVERSION_FAILED,   "without a Code"         },
        {"{\"Response\":{\"RequestId\":\"a\"}}",               200, CONVERSION_FAILED,
         "no ReportConversionStatus"                                                                              },
        {"{\"Response\":{\"ReportConversionStatus\":[]}}",     200, CONVERSION_FAILED,
         "no ReportConversionStatus"                                                                              },
        {"<html>",                                             200, CONVERSION_FAILED,   ""                       },
        {STATUS("ok"),                                         502, CONVERSION_FAILED,   "HTTP status 502"        },
        {NULL,                                                 200, CONVERSION_FAILED,   ""                       },
    };

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        tell(table[i].reply, table[i].status);
        assert_int_equal(rig.fate, table[i].fate);
        assert_non_null(strstr(rig.why, table[i].why));
        assert_int_equal(rig.why[0] == '\0', table[i].fate == CONVERSION_REPORTED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_says_which_message_and_when_its_code_was_verified, start,
                                        end),
        cmocka_unit_test_setup_teardown(what_it_says_decides_whether_it_is_told_again, start, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What each result of an attempt means: every code of error-codes.tsv, and the rules around it. */
#include <stdio.h>
#include <string.h>

#include "tests/check.h"
#include "worker/ports/sender.h"
#include "worker/provider_verdict.h"

#define LIFE_US (15 * US_PER_S)

static struct provider_verdict judge(const struct send_result *r, bool resigned)
{
    const struct verdict_input in = {
        .result = r, .resigned = resigned, .signature_life_us = LIFE_US};

    return provider_verdict(&in);
}

static struct send_result refusal(const char *code)
{
    struct send_result r = {.transport = SEND_ANSWERED, .http_status = 200};

    snprintf(r.code, sizeof(r.code), "%s", code);
    return r;
}

static struct provider_verdict judge_refusal(const char *code)
{
    struct send_result r = refusal(code);

    return judge(&r, false);
}

/* Codes for which error-rules.tsv has another class, and why. */
static const char *expected_verdict(const char *code, const char *action, bool ambiguous)
{
    if (ambiguous)
        return "in_doubt";
    if (strcmp(code, "FailedOperation.MarketingSendTimeConstraint") == 0)
        return "config"; /* the scene's template is of the wrong kind for every job of it */
    if (strcmp(code, "AuthFailure.SignatureExpire") == 0 ||
        strcmp(code, "InternalError.RequestTimeException") == 0)
        return "retry"; /* the first time; see below */
    return action;
}

static void every_code_of_the_table_has_its_class(void **state)
{
    char line[512], code[128], level[16], action[32];
    FILE *f = fopen(SENDCODE_SOURCE_DIR "/worker/error-codes.tsv", "r");
    unsigned n = 0;

    (void)state;
    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        struct provider_verdict v;

        assert_int_equal(sscanf(line, "%127s %15s %31s", code, level, action), 3);
        for (char *p = action; *p; p++)
            *p = (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p);
        v = judge_refusal(code);
        if (strcmp(verdict_to_text(v.verdict),
                   expected_verdict(code, action, strstr(line, "[ambiguous") != NULL)) != 0)
            fail_msg("%s is %s", code, verdict_to_text(v.verdict));
        n++;
    }
    fclose(f);
    assert_int_equal(n, 184);
}

static void results_without_an_answer(void **state)
{
    static const struct {
        const char *what;
        struct send_result result;
        enum verdict expected;
    } cases[] = {
        {"gate refused",             {.transport = SEND_NOT_SENT, .gate_refused = true},           VERDICT_NOT_SENT},
        {"connection refused",       {.transport = SEND_NOT_SENT},                                 VERDICT_NOT_SENT},
        {"time-out",                 {.transport = SEND_NO_ANSWER},                                VERDICT_IN_DOUBT},
        {"garbage",                  {.transport = SEND_NO_ANSWER, .http_status = 200},            VERDICT_IN_DOUBT},
        {"502",                      {.transport = SEND_NO_ANSWER, .http_status = 502},            VERDICT_IN_DOUBT},
        {"Ok under 500",
         {.transport = SEND_ANSWERED, .http_status = 500, .accepted = true, .code = "Ok"},
         VERDICT_IN_DOUBT                                                                                          },
        {"refusal under 403",
         {.transport = SEND_ANSWERED, .http_status = 403, .code = "AuthFailure.SecretIdNotFound"},
         VERDICT_IN_DOUBT                                                                                          },
        {"Ok that was not believed",
         {.transport = SEND_ANSWERED, .http_status = 200, .code = "Ok"},
         VERDICT_IN_DOUBT                                                                                          },
        {"no code",                  {.transport = SEND_ANSWERED, .http_status = 200},             VERDICT_IN_DOUBT},
        {"accepted",
         {.transport = SEND_ANSWERED, .http_status = 200, .accepted = true, .code = "Ok"},
         VERDICT_ACCEPTED                                                                                          },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct provider_verdict v = judge(&cases[i].result, false);
        if (v.verdict != cases[i].expected)
            fail_msg("%s is %s", cases[i].what, verdict_to_text(v.verdict));
        assert_int_equal(v.reason, REASON_NONE);
    }
}

static void unlisted_codes_are_judged_by_their_beginning(void **state)
{
    static const struct {
        const char *code;
        enum verdict expected;
    } cases[] = {
        {"AuthFailure.NewReason",             VERDICT_CONFIG      },
        {"UnauthorizedOperation.NewReason",   VERDICT_CONFIG      },
        {"InvalidParameterValue.NewReason",   VERDICT_CONFIG      },
        {"RequestLimitExceeded.NewReason",    VERDICT_THROTTLE    },
        {"LimitExceeded.PhoneNumberNewLimit", VERDICT_REJECT_QUOTA},
        {"LimitExceeded.NewLimit",            VERDICT_CONFIG      },
        {"ResourceUnavailable.NewReason",     VERDICT_RETRY       },
        {"InternalError.NewReason",           VERDICT_IN_DOUBT    },
        {"InternalErrorOfNewKind",            VERDICT_IN_DOUBT    },
        {"FailedOperation.NewReason",         VERDICT_IN_DOUBT    },
        {"Never.Heard.Of",                    VERDICT_IN_DOUBT    },
        {"LimitExceeded.PhoneNumbe",          VERDICT_CONFIG      },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct provider_verdict v = judge_refusal(cases[i].code);
        if (v.verdict != cases[i].expected)
            fail_msg("%s is %s", cases[i].code, verdict_to_text(v.verdict));
    }
}

static void faults_say_whom_they_concern(void **state)
{
    static const struct {
        const char *code;
        enum fault_scope scope;
    } cases[] = {
        {"AuthFailure.SecretIdNotFound",                             SCOPE_ACCOUNT},
        {"AuthFailure.SignatureFailure",                             SCOPE_ACCOUNT},
        {"AuthFailure.NewReason",                                    SCOPE_ACCOUNT},
        {"FailedOperation.InsufficientBalanceInSmsPackage",          SCOPE_ACCOUNT},
        {"UnauthorizedOperation.ServiceSuspendDueToArrears",         SCOPE_ACCOUNT},
        {"UnauthorizedOperation.RequestIpNotInWhitelist",            SCOPE_ACCOUNT},
        {"UnauthorizedOperation.RequestPermissionDeny",              SCOPE_ACCOUNT},
        {"UnsupportedRegion",                                        SCOPE_ACCOUNT},
        {"IpNotInWhitelist",                                         SCOPE_ACCOUNT},
        {"FailedOperation.TemplateIncorrectOrUnapproved",            SCOPE_SCENE  },
        {"FailedOperation.TemplateParamSetNotMatchApprovedTemplate", SCOPE_SCENE  },
        {"FailedOperation.SignatureIncorrectOrUnapproved",           SCOPE_SCENE  },
        {"FailedOperation.MarketingSendTimeConstraint",              SCOPE_SCENE  },
        {"InvalidParameterValue.SdkAppIdNotExist",                   SCOPE_SCENE  },
        {"InvalidParameterValue.TemplateParameterFormatError",       SCOPE_SCENE  },
        {"UnauthorizedOperation.SmsSdkAppIdVerifyFail",              SCOPE_SCENE  },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct provider_verdict v = judge_refusal(cases[i].code);
        assert_int_equal(v.verdict, VERDICT_CONFIG);
        assert_int_equal(v.reason, REASON_CONFIGURATION);
        if (v.scope != cases[i].scope)
            fail_msg("%s concerns the %s", cases[i].code,
                     v.scope == SCOPE_SCENE ? "scene" : "account");
    }
}

static void refusals_carry_the_reason_of_the_state_they_lead_to(void **state)
{
    static const struct {
        const char *code;
        enum job_reason reason;
        int32_t retry_after;
    } cases[] = {
        {"FailedOperation.PhoneNumberInBlacklist",     REASON_NUMBER,         0 },
        {"FailedOperation.ContainSensitiveWord",       REASON_CONTENT,        0 },
        {"LimitExceeded.PhoneNumberDailyLimit",        REASON_PROVIDER_LIMIT, 0 },
        {"LimitExceeded.PhoneNumberThirtySecondLimit", REASON_PROVIDER_LIMIT, 30},
        {"MissingParameter.EmptyPhoneNumberSet",       REASON_FORMAT,         0 },
        {"RequestLimitExceeded",                       REASON_NONE,           1 },
        {"RequestLimitExceeded.NotListedYet",          REASON_NONE,           1 },
        {"ServiceUnavailable",                         REASON_NONE,           0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct provider_verdict v = judge_refusal(cases[i].code);
        assert_int_equal(v.reason, cases[i].reason);
        assert_int_equal(v.has_retry_after, cases[i].retry_after > 0);
        assert_int_equal(v.retry_after, cases[i].retry_after);
    }
}

static void a_refusal_for_the_time_is_the_lease_or_a_wrong_clock(void **state)
{
    static const char *const codes[] = {"AuthFailure.SignatureExpire",
                                        "InternalError.RequestTimeException"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct send_result late = refusal(codes[i]);
        struct send_result soon = late;
        struct provider_verdict v;

        late.signature_age_us = LIFE_US + 1;
        soon.signature_age_us = LIFE_US;

        v = judge(&late, true);
        assert_int_equal(v.verdict, VERDICT_RETRY);
        assert_false(v.sign_again);
        v = judge(&soon, false);
        assert_int_equal(v.verdict, VERDICT_RETRY);
        assert_true(v.sign_again);
        v = judge(&soon, true);
        assert_int_equal(v.verdict, VERDICT_CONFIG);
        assert_int_equal(v.scope, SCOPE_ACCOUNT);
    }
}

static void a_record_of_a_refusal_means_what_its_code_means(void **state)
{
    static const struct {
        const char *code;
        enum job_state state;
        enum job_reason reason;
    } cases[] = {
        {"FailedOperation.PhoneNumberInBlacklist",          JOB_REJECTED, REASON_NUMBER        },
        {"FailedOperation.ContainSensitiveWord",            JOB_REJECTED, REASON_CONTENT       },
        {"MissingParameter.EmptyPhoneNumberSet",            JOB_REJECTED, REASON_FORMAT        },
        {"LimitExceeded.PhoneNumberDailyLimit",             JOB_LIMITED,  REASON_PROVIDER_LIMIT},
        {"LimitExceeded.PhoneNumberThirtySecondLimit",      JOB_LIMITED,  REASON_PROVIDER_LIMIT},
        {"FailedOperation.InsufficientBalanceInSmsPackage", JOB_RETRY,    REASON_CONFIGURATION },
        {"FailedOperation.TemplateIncorrectOrUnapproved",   JOB_RETRY,    REASON_CONFIGURATION },
        {"RequestLimitExceeded",                            JOB_RETRY,    REASON_NONE          },
        {"ServiceUnavailable",                              JOB_RETRY,    REASON_NONE          },
        {"AuthFailure.SignatureExpire",                     JOB_RETRY,    REASON_NONE          },
        {"InternalError.Timeout",                           JOB_IN_DOUBT, REASON_NONE          },
        {"InternalError.NewReason",                         JOB_IN_DOUBT, REASON_NONE          },
        {"Never.Heard.Of",                                  JOB_IN_DOUBT, REASON_NONE          },
        {"Ok",                                              JOB_IN_DOUBT, REASON_NONE          },
        {"",                                                JOB_IN_DOUBT, REASON_NONE          },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct code_meaning m = provider_code_meaning(cases[i].code);
        if (m.state != cases[i].state || m.reason != cases[i].reason)
            fail_msg("%s: state %d, reason %d", cases[i].code, (int)m.state, (int)m.reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_of_the_table_has_its_class),
        cmocka_unit_test(results_without_an_answer),
        cmocka_unit_test(unlisted_codes_are_judged_by_their_beginning),
        cmocka_unit_test(faults_say_whom_they_concern),
        cmocka_unit_test(refusals_carry_the_reason_of_the_state_they_lead_to),
        cmocka_unit_test(a_refusal_for_the_time_is_the_lease_or_a_wrong_clock),
        cmocka_unit_test(a_record_of_a_refusal_means_what_its_code_means),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Errors as Tencent words them, and its messages for the codes of SendSms. */
#include "sandbox/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE(code, message)                                                                     \
    {                                                                                              \
        code, message                                                                              \
    }

static const struct {
    const char *code;
    const char *message;
} messages[] = {
    MESSAGE("Ok", "send success"),
    MESSAGE("FailedOperation.ContainSensitiveWord", "the text contains sensitive words"),
    MESSAGE("FailedOperation.InsufficientBalanceInSmsPackage",
            "insufficient balance in SMS package"),
    MESSAGE("FailedOperation.PhoneNumberInBlacklist", "the phone number is in the blocklist"),
    MESSAGE("FailedOperation.SignatureIncorrectOrUnapproved",
            "signature is incorrect or unapproved"),
    MESSAGE("FailedOperation.TemplateIncorrectOrUnapproved", "template is incorrect or unapproved"),
    MESSAGE("FailedOperation.TemplateParamSetNotMatchApprovedTemplate",
            "the number of parameters does not match the approved template"),
    MESSAGE("InternalError.Timeout", "request to the delivery service timed out"),
    MESSAGE("InvalidParameterValue.IncorrectPhoneNumber", "incorrect phone number"),
    MESSAGE("InvalidParameterValue.TemplateParameterFormatError",
            "parameters of a verification code template must be digits, at most 6"),
    MESSAGE("LimitExceeded.PhoneNumberDailyLimit",
            "the messages sent to this number in a day exceed the upper limit"),
    MESSAGE("LimitExceeded.PhoneNumberOneHourLimit",
            "the messages sent to this number in an hour exceed the upper limit"),
    MESSAGE("LimitExceeded.PhoneNumberThirtySecondLimit",
            "the messages sent to this number within 30 seconds exceed the upper limit"),
    MESSAGE("RequestLimitExceeded", "your current request times exceed the limit"),
};

int problem_set(struct problem *p, const char *code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    snprintf(p->code, sizeof p->code, "%s", code);
    vsnprintf(p->message, sizeof p->message, fmt, args);
    va_end(args);
    return -1;
}

const char *problem_message(const char *code)
{
    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        if (strcmp(messages[i].code, code) == 0)
            return messages[i].message;
    }
    return "the request could not be processed";
}

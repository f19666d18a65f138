/* Errors as Tencent words them, and its messages for the codes of SendSms. */
#include "sandbox/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *code;
    const char *message;
} messages[] = {
    {"Ok",                                                       "send success"                                                 },
    {"FailedOperation.ContainSensitiveWord",                     "the text contains sensitive words"                            },
    {"FailedOperation.InsufficientBalanceInSmsPackage",          "insufficient balance in SMS package"                          },
    {"FailedOperation.PhoneNumberInBlacklist",                   "the phone number is in the blocklist"                         },
    {"FailedOperation.SignatureIncorrectOrUnapproved",           "signature is incorrect or unapproved"                         },
    {"FailedOperation.TemplateIncorrectOrUnapproved",            "template is incorrect or unapproved"                          },
    {"FailedOperation.TemplateParamSetNotMatchApprovedTemplate",
     "the number of template parameters does not match the approved template"                                                   },
    {"InternalError.Timeout",                                    "request to the delivery service timed out"                    },
    {"InvalidParameterValue.IncorrectPhoneNumber",               "incorrect phone number"                                       },
    {"InvalidParameterValue.TemplateParameterFormatError",
     "parameters of a verification code template must be digits, at most 6"                                                     },
    {"LimitExceeded.PhoneNumberDailyLimit",
     "the number of SMS messages sent to a single mobile number in a day exceeds the upper limit"                               },
    {"LimitExceeded.PhoneNumberOneHourLimit",
     "the number of SMS messages sent to a single mobile number in an hour exceeds the upper "
     "limit"                                                                                                                    },
    {"LimitExceeded.PhoneNumberThirtySecondLimit",
     "the number of SMS messages sent to a single mobile number within 30 seconds exceeds the "
     "upper limit"                                                                                                              },
    {"RequestLimitExceeded",                                     "your current request times exceed the limit, please try later"},
};

int problem_set(struct problem *p, const char *code, const char *fmt, ...)
{
    snprintf(p->code, sizeof p->code, "%s", code);
    va_list args;
    va_start(args, fmt);
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

/* Names of what becomes of attempts and doubts, and of who gives receipts, as SQL and metrics have
 * them. */
#include <string.h>

#include "worker/ports/outcomes.h"
#include "worker/ports/receipts.h"

#define OUTCOME_TEXT_(suffix, text) [ATTEMPT_##suffix] = (text),
static const char *const texts[ATTEMPT_OUTCOME_COUNT] = {ATTEMPT_OUTCOMES(OUTCOME_TEXT_)};
#undef OUTCOME_TEXT_

const char *attempt_outcome_to_text(enum attempt_outcome o)
{
    return texts[o];
}

#define SETTLED_TEXT_(suffix, label) [SETTLED_##suffix] = (label),
static const char *const settled_texts[SETTLED_COUNT] = {SETTLED(SETTLED_TEXT_)};
#undef SETTLED_TEXT_

const char *settled_to_text(enum settled how)
{
    return settled_texts[how];
}

bool settled_from_text(const char *text, enum settled *out)
{
    for (enum settled how = 0; text && how < SETTLED_COUNT; how++) {
        if (strcmp(settled_texts[how], text) == 0) {
            *out = how;
            return true;
        }
    }
    return false;
}

#define SOURCE_TEXT_(suffix, text) [RECEIPT_##suffix] = (text),
static const char *const source_texts[RECEIPT_SOURCE_COUNT] = {RECEIPT_SOURCES(SOURCE_TEXT_)};
#undef SOURCE_TEXT_

const char *receipt_source_to_text(enum receipt_source s)
{
    return source_texts[s];
}

/* Names of what becomes of attempts and doubts, as SQL and metrics have them. */
#include "worker/ports/outcomes.h"

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

/* Names of what becomes of an attempt, as SQL and metrics have them. */
#include "worker/ports/outcomes.h"

#define OUTCOME_TEXT_(suffix, text) [ATTEMPT_##suffix] = (text),
static const char *const texts[ATTEMPT_OUTCOME_COUNT] = {ATTEMPT_OUTCOMES(OUTCOME_TEXT_)};
#undef OUTCOME_TEXT_

const char *attempt_outcome_to_text(enum attempt_outcome o)
{
    return texts[o];
}

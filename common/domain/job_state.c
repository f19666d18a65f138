/* The names of states and reasons. */
#include "common/domain/job_state.h"

#include <string.h>

#define STATE_TEXT(suffix, text, final) [JOB_##suffix] = (text),
#define STATE_FINAL(suffix, text, final) [JOB_##suffix] = (final),
#define REASON_TEXT(suffix, text) [REASON_##suffix] = (text),

static const char *const state_texts[JOB_STATE_COUNT] = {[JOB_NEW] = "new", JOB_STATES(STATE_TEXT)};
static const bool state_finals[JOB_STATE_COUNT] = {JOB_STATES(STATE_FINAL)};
static const char *const reason_texts[JOB_REASON_COUNT] = {JOB_REASONS(REASON_TEXT)};

const char *job_state_to_text(enum job_state s)
{
    return state_texts[s];
}

bool job_state_from_text(const char *s, enum job_state *out)
{
    for (int i = JOB_NEW + 1; i < JOB_STATE_COUNT; i++) {
        if (strcmp(s, state_texts[i]) == 0) {
            *out = (enum job_state)i;
            return true;
        }
    }
    return false;
}

bool job_state_is_final(enum job_state s)
{
    return state_finals[s];
}

const char *job_reason_to_text(enum job_reason r)
{
    return reason_texts[r];
}

bool job_reason_from_text(const char *s, enum job_reason *out)
{
    for (int i = REASON_NONE + 1; i < JOB_REASON_COUNT; i++) {
        if (strcmp(s, reason_texts[i]) == 0) {
            *out = (enum job_reason)i;
            return true;
        }
    }
    return false;
}

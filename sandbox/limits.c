/* Looks back at a number's messages, newest first, no further than the day in China goes. */
#include "sandbox/limits.h"

#include <string.h>

#include "sandbox/store.h"

#define SAME_CONTENT_US (30 * US_PER_S)
#define PER_DAY 2
#define DAY_US (86400 * US_PER_S)
#define CHINA_US (28800 * US_PER_S) /* UTC+8 */

static bool same_content(const struct message_content *a, const struct message_content *b)
{
    if (a->n_params != b->n_params || strcmp(a->template_id, b->template_id) != 0 ||
        strcmp(a->sign_name, b->sign_name) != 0)
        return false;
    for (size_t i = 0; i < a->n_params; i++) {
        if (strcmp(a->params[i], b->params[i]) != 0)
            return false;
    }
    return true;
}

const char *limits_judge(const struct store *s, const char *e164,
                         const struct message_content *content, int64_t now_us)
{
    const struct phone_messages *of = store_find(s, e164);
    int64_t day_start_us = now_us - (now_us + CHINA_US) % DAY_US;
    int64_t look_back_us = MIN(day_start_us, now_us - SAME_CONTENT_US);
    unsigned today = 0;
    if (!of)
        return "Ok";
    const struct message *m = of->messages->phone_prev;
    for (; m->at_us > look_back_us; m = m->phone_prev) {
        if (message_is_accepted(m)) {
            if (m->at_us > now_us - SAME_CONTENT_US && same_content(&m->content, content))
                return "LimitExceeded.PhoneNumberThirtySecondLimit";
            today += m->at_us >= day_start_us;
        }
        if (today >= PER_DAY)
            return "LimitExceeded.PhoneNumberDailyLimit";
        if (m == of->messages) /* the list's first points back to its last */
            break;
    }
    return "Ok";
}

/* A job's status as the event that tells the outside of it. */
#include "common/domain/job_status.h"

#include "common/domain/phone.h"
#include "common/json.h"
#include "common/text.h"

/* The database says "" for what it has not. */
static void add_if_any(struct json *event, const char *key, const char *text)
{
    if (text != NULL && text[0] != '\0')
        json_add_text(event, key, text);
}

struct json *job_status_to_event(const struct job_status *s)
{
    char phone[PHONE_MAX + 8];
    char at[TEXT_TIME_SIZE];
    phone_mask(s->phone, phone);
    text_from_time_us(s->at_us, at);

    struct json *event = json_new_object();
    json_add_int(event, "v", 1);
    json_add_text(event, "job_id", s->job_id);
    json_add_int(event, "seq", s->seq);
    json_add_text(event, "scene", s->scene);
    json_add_text(event, "phone", phone);
    json_add_text(event, "state", job_state_to_text(s->state));
    json_add_text(event, "reason", job_reason_to_text(s->reason));
    add_if_any(event, "provider_code", s->provider_code);
    add_if_any(event, "serial_no", s->serial_no);
    if (s->attempt > 0)
        json_add_int(event, "attempt", s->attempt);
    if (s->has_retry_after)
        json_add_int(event, "retry_after", s->retry_after);
    json_add_text(event, "at", at);
    return event;
}

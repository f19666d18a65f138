/* One line an outcome. */
#include "worker/joblog.h"

#include "common/domain/job_status.h"
#include "common/domain/phone.h"
#include "common/log.h"
#include "worker/flight.h"

static const char *or_null(const char *s)
{
    return s && s[0] ? s : NULL;
}

void joblog_outcome(const struct flight *f, const struct job_status *s)
{
    char phone[PHONE_MAX + 8];
    enum log_level level = s->state == JOB_IN_DOUBT ? LOG_WARN : LOG_INFO;
    phone_mask(s->phone, phone);
    log_at(level, "job", LS("job_id", s->job_id), LS("state", job_state_to_text(s->state)),
           LS("reason", job_reason_to_text(s->reason)), LS("scene", s->scene), LS("phone", phone),
           LI("attempt", s->attempt), LS("provider_code", or_null(s->provider_code)),
           LS("serial_no", or_null(s->serial_no)), LS("why", or_null(f->result.why)),
           LI("ms", f->result.duration_us / US_PER_MS), LI("partition", f->partition),
           LI("offset", f->mark.offset));
}

void joblog_invalid(const struct flight *f)
{
    log_warn("record is no job", LS("reason", job_fault_to_label(f->fault)),
             LS("error", job_fault_to_text(f->fault)), LI("partition", f->partition),
             LI("offset", f->mark.offset));
}

void joblog_duplicate_send(const struct flight *f)
{
    log_error("a second SMS of this job was accepted", LS("job_id", f->job.job_id),
              LI("attempt", f->attempt), LS("serial_no", f->result.serial_no));
}

void joblog_not_recorded(const struct flight *f, const char *why)
{
    log_error("the database refuses to record this outcome; its offset stays held",
              LS("job_id", f->job.job_id), LI("attempt", f->attempt), LI("partition", f->partition),
              LI("offset", f->mark.offset), LS("why", why));
}

void joblog_odd_row(const struct flight *f, const char *topic, const char *why)
{
    log_error("what the database holds of this job contradicts itself; its offset stays held",
              LS("job_id", f->job.job_id), LS("topic", topic), LI("partition", f->partition),
              LI("offset", f->mark.offset), LS("why", why));
}

void joblog_settled(const struct job_status *s, enum settled how)
{
    char phone[PHONE_MAX + 8];
    phone_mask(s->phone, phone);
    log_info("doubt settled", LS("job_id", s->job_id), LS("how", settled_to_text(how)),
             LS("state", job_state_to_text(s->state)), LS("scene", s->scene), LS("phone", phone),
             LI("attempt", s->attempt), LS("provider_code", or_null(s->provider_code)),
             LS("serial_no", or_null(s->serial_no)));
}

void joblog_receipt(const struct job_status *s)
{
    char phone[PHONE_MAX + 8];
    phone_mask(s->phone, phone);
    log_info("receipt", LS("job_id", s->job_id), LS("state", job_state_to_text(s->state)),
             LS("scene", s->scene), LS("phone", phone), LS("serial_no", or_null(s->serial_no)));
}

void joblog_odd(const char *job_id)
{
    log_error("the rows of this job contradict each other; it is left as it is",
              LS("job_id", job_id));
}

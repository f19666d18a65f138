/* Of several headers of one name the last counts: the worker puts its own behind the record's. */
#include "ctl/letter.h"

#include <string.h>

#include "common/domain/job.h"

#define OURS "sendcode-"
#define REPLAYS_MAX 1000000

bool letter_header_is_ours(const struct letter_header *h)
{
    return strncmp(h->name, OURS, strlen(OURS)) == 0;
}

/* The header's value as text without NUL bytes; false when it is absent or does not fit. */
static bool header_text(const struct letter *l, const char *name, char out[LETTER_TEXT_SIZE])
{
    for (size_t i = l->n_headers; i-- > 0;) {
        const struct letter_header *h = &l->headers[i];

        if (strcmp(h->name, name) != 0)
            continue;
        if (!h->value || h->len >= LETTER_TEXT_SIZE || memchr(h->value, '\0', h->len))
            return false;
        memcpy(out, h->value, h->len);
        out[h->len] = '\0';
        return true;
    }
    return false;
}

static bool header_number(const struct letter *l, const char *name, int64_t max, int64_t *out)
{
    char text[LETTER_TEXT_SIZE];

    return header_text(l, name, text) && text_to_int(text, 0, max, out);
}

/* The worker's text for a fault, perhaps with how often the letter was replayed behind it. */
static bool error_is(const char *error, enum job_fault fault)
{
    const char *text = job_fault_to_text(fault);
    size_t len = strlen(text);

    return strncmp(error, text, len) == 0 &&
           (error[len] == '\0' || strncmp(error + len, " (", 2) == 0);
}

static const char *reason_of(const char *error)
{
    for (enum job_fault f = JOB_OK + 1; f < JOB_FAULT_COUNT; f++)
        if (error_is(error, f))
            return job_fault_to_label(f);
    return "other";
}

bool letter_read(struct letter *l)
{
    char text[LETTER_TEXT_SIZE];

    if (!header_text(l, OURS "error", l->error) || !header_text(l, OURS "topic", l->from_topic) ||
        !header_number(l, OURS "partition", INT32_MAX, &l->from_partition) ||
        !header_number(l, OURS "offset", INT64_MAX, &l->from_offset) ||
        !header_text(l, OURS "at", text) || !text_to_time_us(text, strlen(text), &l->at_us))
        return false;
    l->omitted = header_text(l, OURS "omitted", text);
    if (!header_number(l, OURS "replays", REPLAYS_MAX, &l->replays))
        l->replays = 0;
    l->reason = reason_of(l->error);
    return true;
}

static bool is_label(const char *text)
{
    for (enum job_fault f = JOB_OK + 1; f < JOB_FAULT_COUNT; f++)
        if (strcmp(text, job_fault_to_label(f)) == 0)
            return true;
    return false;
}

static bool reason_matches(const struct letter *l, const char *wanted)
{
    return is_label(wanted) ? strcmp(l->reason, wanted) == 0 : strstr(l->error, wanted) != NULL;
}

bool letter_matches(const struct letter *l, const struct letter_filter *f)
{
    return l->at_us >= f->from_us && l->at_us < f->to_us &&
           (f->partition < 0 || f->partition == l->from_partition) &&
           (!f->reason || reason_matches(l, f->reason));
}

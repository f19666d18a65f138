/* Reads a job: the rules of CONTRACT.md section 2, in the order of JOB_FAULTS. */
#include "common/domain/job.h"

#include <arpa/inet.h>
#include <string.h>

#include "common/domain/phone.h"
#include "common/err.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/settings/settings.h"
#include "common/settings/settings_check.h"
#include "common/text.h"

#define ID_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-"
#define DEADLINE_MAX_US (24 * 3600 * US_PER_S)

#define FAULT_LABEL(suffix, label, text) [JOB_FAULT_##suffix] = (label),
#define FAULT_TEXT(suffix, label, text) [JOB_FAULT_##suffix] = (text),
static const char *const labels[JOB_FAULT_COUNT] = {[JOB_OK] = "ok", JOB_FAULTS(FAULT_LABEL)};
static const char *const texts[JOB_FAULT_COUNT] = {[JOB_OK] = "a job", JOB_FAULTS(FAULT_TEXT)};

static const char *const reserved[] = {"channel", "tenant", "provider", "account",
                                       "session", "test",   "params"};

struct field {
    const char *s; /* NULL: not there, or not a string */
    size_t len;
};

struct reader {
    const struct json *value;
    const struct settings *settings;
    struct arena *arena;
    struct job *out;
    bool *no_memory;
};

const char *job_fault_to_text(enum job_fault f)
{
    return texts[f];
}

const char *job_fault_to_label(enum job_fault f)
{
    return labels[f];
}

static struct field get_field(const struct reader *r, const char *key)
{
    struct field f = {NULL, 0};
    f.s = json_string(json_get(r->value, key), &f.len);
    return f;
}

static const char *keep(const struct reader *r, const char *s, size_t len)
{
    const char *copy = arena_strndup(r->arena, s, len);
    if (copy == NULL)
        *r->no_memory = true;
    return copy;
}

static enum job_fault read_forbidden(const struct reader *r)
{
    if (json_has(r->value, "code"))
        return JOB_FAULT_CODE;
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        if (json_has(r->value, reserved[i]))
            return JOB_FAULT_RESERVED;
    return JOB_OK;
}

static enum job_fault read_identity(const struct reader *r)
{
    int64_t version;
    if (!json_int(json_get(r->value, "v"), &version) || version != 1)
        return JOB_FAULT_VERSION;

    struct field id = get_field(r, "job_id");
    if (id.s == NULL || id.len > JOB_ID_MAX || !text_all_in(id.s, id.len, ID_CHARACTERS))
        return JOB_FAULT_JOB_ID;
    struct field phone = get_field(r, "phone");
    if (phone.s == NULL || !phone_is_valid(phone.s, phone.len))
        return JOB_FAULT_PHONE;
    struct field scene = get_field(r, "scene");
    if (scene.s == NULL || !check_is_scene_name(scene.s, scene.len))
        return JOB_FAULT_SCENE;
    if (settings_scene(r->settings, scene.s, NULL) == NULL)
        return JOB_FAULT_UNKNOWN_SCENE;

    r->out->job_id = keep(r, id.s, id.len);
    r->out->phone = keep(r, phone.s, phone.len);
    r->out->scene_name = keep(r, scene.s, scene.len);
    return JOB_OK;
}

/* The deadline that is given; what is not given is filled in when the locale's scene is known. */
static enum job_fault read_times(const struct reader *r)
{
    struct job *job = r->out;
    struct field requested = get_field(r, "requested_at");
    if (requested.s == NULL || !text_to_time_us(requested.s, requested.len, &job->requested_at_us))
        return JOB_FAULT_REQUESTED_AT;
    if (!json_has(r->value, "deadline"))
        return JOB_OK;

    struct field deadline = get_field(r, "deadline");
    if (deadline.s == NULL || !text_to_time_us(deadline.s, deadline.len, &job->deadline_us))
        return JOB_FAULT_DEADLINE;
    int64_t span_us = job->deadline_us - job->requested_at_us;
    return span_us > 0 && span_us <= DEADLINE_MAX_US ? JOB_OK : JOB_FAULT_DEADLINE;
}

static enum job_fault read_locale(const struct reader *r)
{
    struct job *job = r->out;
    if (json_has(r->value, "locale")) {
        struct field locale = get_field(r, "locale");
        if (locale.s == NULL || !check_is_locale(locale.s, locale.len))
            return JOB_FAULT_LOCALE;
        job->locale = keep(r, locale.s, locale.len);
    }
    if (*r->no_memory)
        return JOB_OK;
    job->scene = settings_scene(r->settings, job->scene_name, job->locale);
    if (!json_has(r->value, "deadline"))
        job->deadline_us = job->requested_at_us + job->scene->send_within * US_PER_S;
    return JOB_OK;
}

/* One text an address: the shortest, and IPv4 where it is mapped into IPv6. */
static bool canonical_ip(const char *s, char out[INET6_ADDRSTRLEN])
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, s, &v4) != 1) {
        if (inet_pton(AF_INET6, s, &v6) != 1)
            return false;
        if (!IN6_IS_ADDR_V4MAPPED(&v6))
            return inet_ntop(AF_INET6, &v6, out, INET6_ADDRSTRLEN) != NULL;
        memcpy(&v4, &v6.s6_addr[12], sizeof(v4));
    }
    return inet_ntop(AF_INET, &v4, out, INET6_ADDRSTRLEN) != NULL;
}

static enum job_fault read_client_ip(const struct reader *r)
{
    char canonical[INET6_ADDRSTRLEN];
    if (!json_has(r->value, "client_ip"))
        return JOB_OK;
    struct field ip = get_field(r, "client_ip");
    if (ip.s == NULL || strlen(ip.s) != ip.len || !canonical_ip(ip.s, canonical))
        return JOB_FAULT_CLIENT_IP;
    r->out->client_ip = keep(r, canonical, strlen(canonical));
    return JOB_OK;
}

static enum job_fault read_fields(const struct reader *r)
{
    static enum job_fault (*const steps[])(const struct reader *) = {
        read_forbidden, read_identity, read_times, read_locale, read_client_ip};
    enum job_fault fault = JOB_OK;
    if (json_type(r->value) != JSON_OBJECT)
        return JOB_FAULT_NOT_OBJECT;
    for (size_t i = 0; i < ARRAY_LEN(steps) && fault == JOB_OK; i++)
        fault = steps[i](r);
    return fault;
}

static enum job_fault fault_of_json(const struct err *e, bool *no_memory)
{
    if (e->class == ERR_TEMP) {
        *no_memory = true;
        return JOB_FAULT_NOT_JSON;
    }
    switch ((enum json_fault)e->code) {
    case JSON_NOT_UTF8:
        return JOB_FAULT_NOT_UTF8;
    case JSON_BYTE_ORDER_MARK:
        return JOB_FAULT_BOM;
    case JSON_TOO_DEEP:
        return JOB_FAULT_TOO_DEEP;
    case JSON_REPEATED_KEY:
        return JOB_FAULT_REPEATED_KEY;
    case JSON_MALFORMED:
        break;
    }
    return JOB_FAULT_NOT_JSON;
}

enum job_fault job_parse(struct arena *a, const struct settings *s, const void *value, size_t len,
                         struct job *out, bool *no_memory)
{
    static const struct json_limits limits = {.max_depth = JOB_DEPTH_MAX, .unique_top_keys = true};
    struct err e = {0};
    *out = (struct job){0};
    *no_memory = false;
    if (value == NULL)
        return JOB_FAULT_TOMBSTONE;
    if (len > JOB_VALUE_MAX)
        return JOB_FAULT_TOO_LONG;
    struct json *json = json_parse(value, len, &limits, &e);
    if (json == NULL)
        return fault_of_json(&e, no_memory);

    struct reader r = {json, s, a, out, no_memory};
    enum job_fault fault = read_fields(&r);
    json_free(json);
    return fault;
}

bool job_value_may_hold_code(enum job_fault f, const void *value, size_t len)
{
    if (f == JOB_OK || f > JOB_FAULT_CODE || value == NULL)
        return false;
    if (f == JOB_FAULT_CODE || memmem(value, len, "\"code\"", 6) != NULL)
        return true;
    return len <= JOB_VALUE_MAX && json_bytes_have_key(value, len, "code");
}

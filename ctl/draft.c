/*
 * A job's missing members are put in as text, right behind its opening brace: the rest of a line
 * is published byte for byte as it was given.
 */
#include "ctl/draft.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/crypto/crypto.h"
#include "common/domain/job.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/settings/settings.h"
#include "common/text.h"
#include "ctl/ctl.h"

#define ARENA_BLOCK 65536
#define UUID_SIZE 37

void draft_list_init(struct draft_list *list)
{
    *list = (struct draft_list){.arena = arena_new(ARENA_BLOCK)};
    if (!list->arena)
        panic("no memory");
}

void draft_list_free(struct draft_list *list)
{
    arena_free(list->arena);
    mem_free(list->items);
    *list = (struct draft_list){0};
}

/* UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then random. */
static void make_uuid(char out[UUID_SIZE])
{
    uint8_t b[16];
    uint64_t ms = (uint64_t)(clock_wall_us() / US_PER_MS);

    crypto_random(b, sizeof b);
    for (int i = 0; i < 6; i++)
        b[i] = (uint8_t)(ms >> (40 - 8 * i));
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x70);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    snprintf(out, UUID_SIZE, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
             b[14], b[15]);
}

static char *keep(struct draft_list *list, const char *s, size_t len)
{
    char *copy = arena_strndup(list->arena, s, len);

    if (!copy)
        panic("no memory for so many jobs");
    return copy;
}

static void append(struct draft_list *list, const void *value, size_t len, const struct job *job)
{
    if (list->n == list->room) {
        list->room = list->room ? 2 * list->room : 64;
        list->items = mem_resize(list->items, list->room * sizeof *list->items);
        if (!list->items)
            panic("no memory for so many jobs");
    }
    list->items[list->n++] = (struct draft){
        .value = keep(list, value, len),
        .len = len,
        .job_id = keep(list, job->job_id, strlen(job->job_id)),
        .phone = keep(list, job->phone, strlen(job->phone)),
        .deadline_us = job->deadline_us,
    };
}

/* Holds the value against the contract as the worker will; JOB_OK and it is on the list. */
static enum job_fault check_and_append(struct draft_list *list, const struct settings *s,
                                       const void *value, size_t len)
{
    struct arena *a = arena_new(4096);
    struct job job = {0};
    bool no_memory = false;
    enum job_fault fault;

    if (!a)
        panic("no memory");
    fault = job_parse(a, s, value, len, &job, &no_memory);
    if (no_memory)
        panic("no memory");
    if (fault == JOB_OK)
        append(list, value, len, &job);
    arena_free(a);
    return fault;
}

int draft_add_flags(struct draft_list *list, const struct settings *s,
                    const struct draft_flags *flags, struct buf *faults)
{
    struct json *o = json_new_object();
    char uuid[UUID_SIZE];
    char now[TEXT_TIME_SIZE];
    enum job_fault fault;
    const char *value;
    size_t len = 0;

    make_uuid(uuid);
    text_from_time_us(clock_wall_us(), now);
    json_add_int(o, "v", 1);
    json_add_text(o, "job_id", flags->job_id ? flags->job_id : uuid);
    json_add_text(o, "phone", flags->phone);
    json_add_text(o, "scene", flags->scene);
    json_add_text(o, "requested_at", flags->requested_at ? flags->requested_at : now);
    json_add_text(o, "deadline", flags->deadline);
    json_add_text(o, "locale", flags->locale);
    json_add_text(o, "client_ip", flags->client_ip);
    value = json_text(o, &len);
    fault = check_and_append(list, s, value, len);
    if (fault != JOB_OK)
        buf_add_fmt(faults, "%s\n", job_fault_to_text(fault));
    json_free(o);
    return fault == JOB_OK ? 0 : -1;
}

/* The line with v, job_id and requested_at put in where they are missing. */
static void complete_line(const char *line, size_t len, struct buf *out)
{
    const struct json_limits limits = {.max_depth = JOB_DEPTH_MAX, .unique_top_keys = true};
    const char *brace = memchr(line, '{', len);
    struct json *j = json_parse(line, len, &limits, NULL);
    char uuid[UUID_SIZE];
    char now[TEXT_TIME_SIZE];

    buf_clear(out);
    if (brace && json_type(j) == JSON_OBJECT && json_has(j, "phone")) {
        buf_add(out, line, (size_t)(brace + 1 - line));
        if (!json_has(j, "v"))
            buf_add_text(out, "\"v\":1,");
        if (!json_has(j, "job_id")) {
            make_uuid(uuid);
            buf_add_fmt(out, "\"job_id\":\"%s\",", uuid);
        }
        if (!json_has(j, "requested_at")) {
            text_from_time_us(clock_wall_us(), now);
            buf_add_fmt(out, "\"requested_at\":\"%s\",", now);
        }
        buf_add(out, brace + 1, len - (size_t)(brace + 1 - line));
    } else {
        buf_add(out, line, len); /* to be refused as it is */
    }
    if (out->failed)
        panic("no memory for a line of %zu bytes", len);
    json_free(j);
}

void draft_add_lines(struct draft_list *list, const struct settings *s, FILE *in, const char *name,
                     struct buf *faults)
{
    struct buf value = BUF_INIT;
    char *line = NULL;
    size_t room = 0;
    long number = 0;
    ssize_t got;

    while ((got = getline(&line, &room, in)) >= 0) {
        size_t len = (size_t)got;
        number++;
        while (len > 0 && strchr("\r\n", line[len - 1]))
            len--;
        if (len == 0 || text_all_in(line, len, " \t"))
            continue;
        complete_line(line, len, &value);
        enum job_fault fault = check_and_append(list, s, value.data, value.len);
        if (fault != JOB_OK)
            buf_add_fmt(faults, "%s:%ld: %s\n", name, number, job_fault_to_text(fault));
    }
    if (ferror(in))
        buf_add_fmt(faults, "%s: cannot be read\n", name);
    free(line);
    buf_free(&value);
}

/* Handlers of the events port that only write down. */
#include "tests/unit/kafka_poster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs setjmp and stdarg */
#include <cmocka.h>

#include "common/err.h"
#include "worker/kafka/kafka_out.h"

static void on_published(void *arg, uint64_t ticket)
{
    struct poster *p = arg;

    assert_true(ticket < TICKETS_MAX);
    p->times[ticket]++;
    p->published++;
}

static void on_health(void *arg, const char *why)
{
    struct poster *p = arg;

    p->was_unwell = p->was_unwell || why;
    snprintf(p->why, sizeof(p->why), "%s", why ? why : "");
}

void poster_open(struct poster *p, struct rig *r)
{
    struct err e = {0};
    struct events_handlers h = {.arg = p, .published = on_published, .health = on_health};

    *p = (struct poster){.rig = r};
    p->out = kafka_out_new(r->loop, &r->settings, &h, &e);
    if (!p->out)
        fail_msg("%s", e.text);
    p->port = kafka_out_port(p->out);
}

static bool has_published(void *arg)
{
    struct poster *p = arg;
    return p->published >= p->goal;
}

void poster_await(struct poster *p, size_t n)
{
    p->goal = n;
    rig_wait(p->rig, has_published, p, "messages to be acknowledged");
}

bool poster_is_unwell(void *arg)
{
    return ((struct poster *)arg)->why[0] != '\0';
}

bool poster_is_well(void *arg)
{
    return ((struct poster *)arg)->why[0] == '\0';
}

void poster_publish(struct poster *p, uint64_t ticket)
{
    char id[32];
    struct job_status s = {.job_id = id,
                           .phone = "+8613800138000",
                           .scene = "login",
                           .state = JOB_SENT,
                           .seq = (int32_t)ticket,
                           .attempt = 1,
                           .serial_no = "2019:1",
                           .at_us = INT64_C(1795000000000000)};

    snprintf(id, sizeof(id), "job-%u", (unsigned)ticket);
    p->port.publish(p->port.self, ticket, &s);
}

void poster_dead_letter(struct poster *p, uint64_t ticket, const struct record *rec, bool omit_code)
{
    struct dead_letter l = {.record = rec,
                            .omit_code = omit_code,
                            .error = POSTER_ERROR,
                            .at_us = INT64_C(1795000000123000)};

    p->port.dead_letter(p->port.self, ticket, &l);
}

void poster_assert_each_once(struct poster *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(p->times[i], 1);
    assert_int_equal(p->published, n);
    assert_int_equal(p->port.unacked(p->port.self), 0);
}

void poster_close(struct poster *p)
{
    kafka_out_free(p->out);
    rig_close(p->rig);
}

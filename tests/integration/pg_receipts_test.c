/*
 * The receipts' adapter on the real schema, with the rights of sendcode_worker and nothing more:
 * each function is there, takes what the adapter sends, and answers what it understands.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/settings/settings.h"
#include "tests/check.h"
#include "tests/integration/pg_live.h"
#include "worker/pg/pg_receipts.h"

struct worker {
    struct pg_receipts *adapter;
    struct receipts_db port;
    struct loop *loop;
    unsigned answers;
    bool idle, refused, kept, ours;
    struct join_counts counts;
    int64_t asked_us;
    size_t n_overdue, n_dropped;
    char phone[24], scene[40];
    int64_t accepted_us;
};

static struct live_database db;
static struct loop *loop;
static struct worker one, two;
static char error[512]; /* the last line at error */

static void on_log(void *arg, const char *line, size_t len)
{
    (void)arg;
    if (strstr(line, "level=error"))
        snprintf(error, sizeof error, "%.*s", (int)len, line);
}

static void note(struct worker *w)
{
    w->answers++;
    loop_stop(w->loop);
}

static void on_joined(void *arg, const struct join_counts *c)
{
    struct worker *w = arg;
    w->refused = c == NULL;
    if (c)
        w->counts = *c;
    note(w);
}

static void on_stored(void *arg, bool kept)
{
    struct worker *w = arg;
    w->kept = kept;
    note(w);
}

static void on_leased(void *arg, bool ours, int64_t asked_us)
{
    struct worker *w = arg;
    w->ours = ours;
    w->asked_us = asked_us;
    note(w);
}

static void on_overdue(void *arg, const struct overdue *rows, size_t n)
{
    struct worker *w = arg;
    w->n_overdue = n;
    if (n > 0) {
        snprintf(w->phone, sizeof w->phone, "%s", rows[0].phone);
        snprintf(w->scene, sizeof w->scene, "%s", rows[0].scene);
        w->accepted_us = rows[0].accepted_us;
    }
    note(w);
}

static void on_retained(void *arg, const char *const *dropped, size_t n)
{
    struct worker *w = arg;
    (void)dropped;
    w->n_dropped = n;
    note(w);
}

static void on_idle(void *arg)
{
    struct worker *w = arg;
    w->idle = true;
    loop_stop(w->loop);
}

static void on_health(void *arg, const char *why)
{
    (void)arg;
    if (why)
        fail_msg("%s", why);
}

static bool is_idle(const void *arg)
{
    const struct worker *w = arg;
    return w->idle;
}

/* The answer to what was just asked. */
static void finish(struct worker *w)
{
    w->idle = false;
    w->answers = 0;
    live_run(w->loop, is_idle, w);
    assert_int_equal(w->answers, 1);
    assert_true(w->port.can_ask(w->port.self));
}

static void start_worker(struct worker *w, char *dsn)
{
    char name[] = "worker-1";
    struct settings s = {.worker = {.name = name}, .postgres = {.dsn = dsn}};
    const struct receipts_db_handlers h = {
        .arg = w,
        .joined = on_joined,
        .stored = on_stored,
        .leased = on_leased,
        .overdue = on_overdue,
        .retained = on_retained,
        .idle = on_idle,
        .health = on_health,
    };
    struct err e = {0};

    *w = (struct worker){.loop = loop};
    w->adapter = pg_receipts_new(loop, &s, &h, &e);
    if (!w->adapter)
        fail_msg("%s", e.text);
    w->port = pg_receipts_port(w->adapter);
    assert_false(w->port.can_ask(w->port.self));
    live_run(loop, is_idle, w);
}

static int start(void **state)
{
    char command[1024], dsn[600];
    struct err e = {0};

    (void)state;
    live_make_database(&db, "pg_receipts");
    snprintf(command, sizeof command, "\"${SENDCODE_BUILD_DIR:-.}\"/sendcodectl migrate --dsn '%s'",
             db.dsn);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "create role test_%s login in role sendcode_worker", db.name);
    live_sql(&db, command, NULL, 0);
    snprintf(dsn, sizeof dsn, "%s user=test_%s", db.dsn, db.name);
    log_set_sink(on_log, NULL);
    loop = loop_new(&e);
    assert_non_null(loop);
    start_worker(&one, dsn);
    start_worker(&two, dsn);
    return 0;
}

static int stop(void **state)
{
    char sql[128];

    (void)state;
    pg_receipts_free(one.adapter);
    pg_receipts_free(two.adapter);
    loop_free(loop);
    log_set_sink(NULL, NULL);
    snprintf(sql, sizeof sql, "drop role test_%s", db.name);
    live_sql(&db, sql, NULL, 0);
    live_drop_database(&db);
    return 0;
}

static void assert_says(const char *sql, const char *what)
{
    char said[256];

    live_sql(&db, sql, said, sizeof said);
    assert_string_equal(said, what);
}

static bool lease(struct worker *w, int64_t us)
{
    int64_t before_us = clock_boot_us();

    w->port.lease(w->port.self, us);
    finish(w);
    assert_true(w->asked_us >= before_us && w->asked_us <= clock_boot_us());
    return w->ours;
}

static void one_worker_has_the_queue_and_may_keep_it(void **state)
{
    (void)state;
    assert_true(lease(&one, 60 * US_PER_S));
    assert_false(lease(&two, 60 * US_PER_S));
    assert_true(lease(&one, US_PER_MS)); /* shorter: as good as given back */
    while (!lease(&two, 60 * US_PER_S))
        ;
    assert_false(lease(&one, 60 * US_PER_S));
}

static void store(struct worker *w, const struct receipt *receipts, size_t n)
{
    w->port.store(w->port.self, RECEIPT_PULL, receipts, n);
    finish(w);
}

static void receipts_are_kept_as_they_came(void **state)
{
    static const struct receipt receipts[] = {
        {.serial_no = "s:1",
         .phone = "+8613800138000",
         .status = "SUCCESS",
         .code = "DELIVRD",
         .description = "\xe5\xa5\xbd",
         .user_received_us = 1620734188 * US_PER_S,
         .raw = "{\"a\":\"\xe5\xa5\xbd\"}"},
        {.raw = "7",  .fault = "the receipt is no object"},
    };

    (void)state;
    store(&one, receipts, ARRAY_LEN(receipts));
    assert_true(one.kept);
    assert_says("select count(*) from sendcode.receipt where source = 'pull'", "2");
    assert_says("select serial_no || phone || status || code || description || "
                "extract(epoch from user_received_at)::bigint || convert_from(raw, 'UTF8') "
                "from sendcode.receipt where fault is null",
                "s:1+8613800138000SUCCESSDELIVRD\xe5\xa5\xbd"
                "1620734188{\"a\":\"\xe5\xa5\xbd\"}");
    assert_says("select fault || convert_from(raw, 'UTF8') || (user_received_at is null) "
                "from sendcode.receipt where serial_no is null",
                "the receipt is no object7true");
}

static void a_receipt_that_cannot_be_held_takes_no_other_along(void **state)
{
    struct receipt receipts[9];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(receipts); i++)
        receipts[i] = (struct receipt){.serial_no = i == 4 ? "\xff" : "beside",
                                       .phone = "+8613800138001",
                                       .status = "FAIL",
                                       .raw = "{}"};
    store(&one, receipts, ARRAY_LEN(receipts));
    assert_true(one.kept); /* asking again would not help */
    assert_says("select count(*) from sendcode.receipt where serial_no = 'beside'", "8");
    assert_non_null(strstr(error, "it is lost"));
}

static void what_stands_in_the_way_of_a_receipt_is_waited_for(void **state)
{
    static const struct receipt r = {
        .serial_no = "later", .phone = "+8613800138002", .status = "FAIL", .raw = "{}"};

    (void)state;
    live_sql(&db, "alter table sendcode.receipt add constraint shut check (serial_no <> 'later')",
             NULL, 0);
    store(&one, &r, 1);
    assert_false(one.kept);
    assert_non_null(strstr(error, "call=store_receipts"));
    live_sql(&db, "alter table sendcode.receipt drop constraint shut", NULL, 0);
    store(&one, &r, 1);
    assert_true(one.kept);
    assert_says("select count(*) from sendcode.receipt where serial_no = 'later'", "1");
}

static void a_joining_says_what_it_found(void **state)
{
    (void)state;
    two.port.join(two.port.self, 200);
    finish(&two);
    assert_false(two.refused);
    assert_int_equal(two.counts.joined, 0);
    assert_int_equal(two.counts.repeats, 0);
    assert_int_equal(two.counts.orphans, 0); /* not said within the first minutes */
    assert_true(two.counts.waiting > 0);
}

static void an_accepted_message_without_a_receipt_is_overdue(void **state)
{
    (void)state;
    one.port.take_overdue(one.port.self, 60);
    finish(&one);
    assert_int_equal(one.n_overdue, 0);
    live_sql(&db,
             "insert into sendcode.delivery (job_id, day, phone, scene, state, seq, attempts, "
             "partition, incarnation, \"offset\", epoch, requested_at, deadline, changed_at, "
             "accepted_at, accepted_attempt, topic, worker, serial_no) values ('late', "
             "(now() at time zone 'UTC')::date, '+8613800138003', 'login', 'sent', 2, 1, 0, 1, 0, "
             "1, now(), now(), now(), now() - interval '2 min', 1, 't', 'w', 's:late')",
             NULL, 0);
    live_sql(&db,
             "insert into sendcode.attempt (job_id, day, attempt, at, recorded_at, outcome, moved, "
             "serial_no, worker) values ('late', (now() at time zone 'UTC')::date, 1, "
             "now() - interval '2 min', now() - interval '2 min', 'accepted', true, 's:late', 'w')",
             NULL, 0);
    live_sql(&db, "update sendcode.overdue_position set recorded_at = now() - interval '1 hour'",
             NULL, 0);
    one.port.take_overdue(one.port.self, 60);
    finish(&one);
    assert_int_equal(one.n_overdue, 1);
    assert_string_equal(one.phone, "+8613800138003");
    assert_string_equal(one.scene, "login");
    assert_in_range(clock_wall_us() - one.accepted_us, 100 * US_PER_S, 200 * US_PER_S);
}

static void retention_is_tried_once_and_holds_nothing_up(void **state)
{
    static const struct retention keep = {.deliveries = 0, .attempts = 0, .receipts = 7};

    (void)state;
    one.port.retain(one.port.self, &keep);
    finish(&one);
    assert_int_equal(one.n_dropped, 0);
    live_sql(&db, "alter function sendcode.retain rename to retained", NULL, 0);
    two.port.retain(two.port.self, &keep);
    finish(&two);
    assert_int_equal(two.n_dropped, 0);
    assert_non_null(strstr(error, "call=retain"));
    two.port.join(two.port.self, 200);
    finish(&two);
    assert_false(two.refused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_worker_has_the_queue_and_may_keep_it),
        cmocka_unit_test(receipts_are_kept_as_they_came),
        cmocka_unit_test(a_receipt_that_cannot_be_held_takes_no_other_along),
        cmocka_unit_test(what_stands_in_the_way_of_a_receipt_is_waited_for),
        cmocka_unit_test(a_joining_says_what_it_found),
        cmocka_unit_test(an_accepted_message_without_a_receipt_is_overdue),
        cmocka_unit_test(retention_is_tried_once_and_holds_nothing_up),
    };
    return cmocka_run_group_tests(tests, start, stop);
}

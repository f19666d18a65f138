/*
 * One query over the views, which mask what the reader's role may not see. A phone's jobs are named
 * by phone_jobs(), which takes a whole number from auditors too.
 */
#include "ctl/audit_rows.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/pg/pg_sync.h"
#include "common/text.h"
#include "ctl/csv.h"
#include "ctl/ctl.h"
#include "ctl/table.h"

#define UTC(column)                                                                                \
    "to_char(d." #column " at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') as " #column   \
    ", "

/* PostgreSQL reads neither the year 0 nor every zone of RFC 3339: times go in microseconds. */
#define FROM "to_timestamp($4::float8 / 1e6)"
#define TO "to_timestamp($5::float8 / 1e6)"

#define FEW_COLUMNS                                                                                \
    UTC(requested_at)                                                                              \
    "d.job_id, d.phone, d.scene, d.state, d.reason, d.attempts, d.provider_code, "                 \
    "d.serial_no, " UTC(verified_at) "d.receipt_code"

#define ALL_COLUMNS                                                                                \
    "d.job_id, d.phone, d.scene, d.state, d.reason, d.seq, d.attempts, d.provider_code,"           \
    " d.serial_no, " UTC(requested_at) UTC(deadline) UTC(claimed_at) UTC(accepted_at)              \
        UTC(changed_at) UTC(receipt_at)                                                            \
            UTC(verified_at) "d.receipt_code, d.retry_after, d.client_ip,"                         \
                             " d.locale, d.topic, d.partition, d.\"offset\", d.worker"

/* Behind duplicate_send, which CSV and JSON write in different ways. */
#define LAST_COLUMNS ", d.incarnation, d.day, d.receipt_kind, d.receipt_meaning, d.segments"

/* The array leads to the index; a job_id alone may be another phone's too, of another day. */
#define PHONE_JOBS "sendcode.phone_jobs($1::text) p"

/*
 * A job is filed under the day of its request, or, if its record came more than a day late, under
 * the day when it came: as of that day's beginning it is found. So only the months asked for are
 * read. Every code of a delivery is one of an attempt's.
 */
#define DELIVERIES                                                                                 \
    " from sendcode.deliveries d"                                                                  \
    " where ($1::text is null or d.job_id = any (array(select p.job_id from " PHONE_JOBS "))"      \
    "  and (d.job_id, d.day) in (select p.job_id, p.day from " PHONE_JOBS "))"                     \
    " and ($2::text is null or d.scene = $2::text)"                                                \
    " and ($3::text is null or d.state = $3::text)"                                                \
    " and ($4::float8 is null or d.day >= (" FROM " at time zone 'UTC')::date"                     \
    "  and greatest(d.requested_at, d.day::timestamp at time zone 'UTC') >= " FROM ")"             \
    " and ($5::float8 is null or d.day <= (" TO " at time zone 'UTC')::date"                       \
    "  and greatest(d.requested_at, d.day::timestamp at time zone 'UTC') < " TO ")"                \
    " and ($6::text is null or (d.job_id, d.day) in"                                               \
    "  (select a.job_id, a.day from sendcode.attempts a where a.provider_code = $6::text"          \
    "   and ($4::float8 is null or a.day >= (" FROM " at time zone 'UTC')::date)"                  \
    "   and ($5::float8 is null or a.day <= (" TO " at time zone 'UTC')::date)))"                  \
    " order by d.day, d.requested_at, d.job_id"

static const char *const cursors[] = {
    [AUDIT_TABLE] = "declare audit no scroll cursor for select " FEW_COLUMNS DELIVERIES,
    [AUDIT_CSV] = "declare audit no scroll cursor for select " ALL_COLUMNS
                  ", d.duplicate_send::text" LAST_COLUMNS DELIVERIES,
    [AUDIT_JSONL] = "declare audit no scroll cursor for select json_strip_nulls(row_to_json(r))"
                    " from (select " ALL_COLUMNS ", d.duplicate_send" LAST_COLUMNS DELIVERIES ") r",
};

static void add_csv_row(struct buf *out, const struct pg_sync_rows *rows, int row, bool head)
{
    for (int col = 0; col < pg_sync_columns(rows); col++) {
        if (col > 0)
            buf_add_char(out, ',');
        csv_add_cell(out, head ? pg_sync_column(rows, col) : pg_sync_cell(rows, row, col));
    }
    buf_add_char(out, '\n');
}

static void print_csv(const struct pg_sync_rows *rows, bool first)
{
    struct buf out = BUF_INIT;

    if (first)
        add_csv_row(&out, rows, 0, true);
    for (int row = 0; row < pg_sync_count(rows); row++)
        add_csv_row(&out, rows, row, false);
    if (out.failed)
        panic("no memory for a page of CSV");
    fputs(buf_text(&out), stdout);
    buf_free(&out);
}

static void print_json(const struct pg_sync_rows *rows)
{
    for (int row = 0; row < pg_sync_count(rows); row++)
        puts(pg_sync_cell(rows, row, 0));
}

/* The next rows; their number, or -1 and *code. */
static int print_page(const struct ctl *c, struct pg_sync *db, enum audit_format format,
                      struct table_layout *layout, bool first, int *code)
{
    struct err e = {0};
    struct pg_sync_rows *rows = pg_sync_exec(db, "fetch 1000 from audit", NULL, 0, &e);
    int n;

    if (!rows) {
        *code = ctl_statement_failed(c, db, &e);
        return -1;
    }
    n = pg_sync_count(rows);
    if (format == AUDIT_CSV)
        print_csv(rows, first);
    else if (format == AUDIT_JSONL)
        print_json(rows);
    else if (n > 0)
        table_print_page(rows, layout);
    pg_sync_rows_free(rows);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return n;
    ctl_say(c, "standard output takes no more: %s", strerror(errno));
    *code = EXIT_NO;
    return -1;
}

static int print_all(const struct ctl *c, struct pg_sync *db, enum audit_format format)
{
    struct table_layout layout = {0};
    int code = EXIT_DONE;
    bool first = true;
    int n;

    while ((n = print_page(c, db, format, &layout, first, &code)) > 0)
        first = false;
    if (first && n == 0)
        ctl_say(c, "no job fits");
    return code;
}

/* A time that was checked, in microseconds; NULL for NULL. */
static const char *to_us(const char *time, char out[24])
{
    int64_t us = 0;

    if (!time || !text_to_time_us(time, strlen(time), &us))
        return NULL;
    snprintf(out, 24, "%lld", (long long)us);
    return out;
}

int audit_rows_print(const struct ctl *c, struct pg_sync *db, const struct audit_filter *f,
                     enum audit_format format)
{
    char from[24], to[24];
    const char *const params[] = {f->phone,         f->scene,        f->state, to_us(f->from, from),
                                  to_us(f->to, to), f->provider_code};
    struct pg_sync_rows *none;
    struct err e = {0};

    /* The plan is for all rows, not for the first ones. */
    if (pg_sync_run(db, "begin read only; set local cursor_tuple_fraction = 1", &e) != 0)
        return ctl_statement_failed(c, db, &e);
    none = pg_sync_exec(db, cursors[format], params, ARRAY_LEN(params), &e);
    if (!none)
        return ctl_statement_failed(c, db, &e);
    pg_sync_rows_free(none);
    return print_all(c, db, format);
}

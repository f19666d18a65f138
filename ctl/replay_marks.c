/* Letters go to the database's functions as arrays of partitions, offsets and times. */
#include "ctl/replay_marks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/pg/pg_sync.h"
#include "ctl/letter.h"

struct arrays {
    struct buf partitions, offsets, times;
};

static void arrays_fill(struct arrays *a, struct letter *const *letters, size_t n)
{
    *a = (struct arrays){0};
    for (size_t i = 0; i < n; i++) {
        const char *before = i == 0 ? "{" : ",";
        char at[TEXT_TIME_SIZE];

        text_from_time_us(letters[i]->at_us, at);
        buf_add_fmt(&a->partitions, "%s%" PRId32, before, letters[i]->partition);
        buf_add_fmt(&a->offsets, "%s%" PRId64, before, letters[i]->offset);
        buf_add_fmt(&a->times, "%s%s", before, at);
    }
    buf_add_char(&a->partitions, '}');
    buf_add_char(&a->offsets, '}');
    buf_add_char(&a->times, '}');
    if (a->partitions.failed || a->offsets.failed || a->times.failed)
        panic("no memory for %zu letters", n);
}

static void arrays_free(struct arrays *a)
{
    buf_free(&a->partitions);
    buf_free(&a->offsets);
    buf_free(&a->times);
}

/* Calls one of the functions; its rows are places in the arrays, from 1. picked may be NULL. */
static int ask(const struct replay_marks *m, const char *sql, const char *force,
               struct letter *const *letters, size_t n, bool *picked, struct err *e)
{
    struct arrays a;
    struct pg_sync_rows *rows;

    arrays_fill(&a, letters, n);
    const char *const params[] = {m->topic, buf_text(&a.partitions), buf_text(&a.offsets),
                                  buf_text(&a.times), force};
    rows = pg_sync_exec(m->db, sql, params, force ? 5 : 4, e);
    arrays_free(&a);
    if (!rows)
        return -1;
    if (picked)
        memset(picked, 0, n * sizeof *picked);
    for (int row = 0; picked && row < pg_sync_count(rows); row++) {
        int64_t place = 0;
        if (!text_to_int(pg_sync_cell(rows, row, 0), 1, (int64_t)n, &place))
            panic("a place outside of the array");
        picked[place - 1] = true;
    }
    pg_sync_rows_free(rows);
    return 0;
}

int replay_marks_find(const struct replay_marks *m, struct letter *const *letters, size_t n,
                      bool *marked, struct err *e)
{
    return ask(m, "select idx from sendcode.replays_find($1, $2, $3, $4)", NULL, letters, n, marked,
               e);
}

int replay_marks_set(const struct replay_marks *m, struct letter *const *letters, size_t n,
                     bool force, bool *marked, struct err *e)
{
    return ask(m, "select idx from sendcode.replays_mark($1, $2, $3, $4, $5)",
               force ? "true" : "false", letters, n, marked, e);
}

int replay_marks_clear(const struct replay_marks *m, struct letter *const *letters, size_t n,
                       struct err *e)
{
    return ask(m, "select sendcode.replays_unmark($1, $2, $3, $4)", NULL, letters, n, NULL, e);
}

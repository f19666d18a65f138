/*
 * Rows for a set-returning function, as arrays, one a column. They go in one statement; when the
 * server refuses a row, the batch is halved until that row stands alone, and the others go through.
 */
#ifndef SENDCODE_WORKER_PG_PG_BATCH_H
#define SENDCODE_WORKER_PG_PG_BATCH_H

#include "common/base.h"
#include "common/pg/pg_array.h"

#define PG_BATCH_COLUMNS_MAX 28
#define PG_BATCH_DEPTH_MAX 32 /* halvings: enough for any int32_t of rows */

struct pg_column {
    const char *name; /* of the function's parameter */
    enum pg_type type;
};

struct pg_batch {
    char *sql;
    size_t n_columns;
    struct pg_array whole[PG_BATCH_COLUMNS_MAX]; /* the caller adds its rows here */
    struct pg_array part[PG_BATCH_COLUMNS_MAX];
    int32_t from, n; /* the rows to ask for now */
    struct {
        int32_t from, n;
    } later[PG_BATCH_DEPTH_MAX];
    size_t n_later;
};

/*
 * head: the statement up to the function's n_scalars first arguments, "select … from f(a => $1".
 * The columns follow as arguments by name.
 */
void pg_batch_init(struct pg_batch *b, const char *head, int n_scalars,
                   const struct pg_column *columns, size_t n_columns);
void pg_batch_free(struct pg_batch *b);

void pg_batch_clear(struct pg_batch *b);                        /* before the rows are added */
void pg_batch_start(struct pg_batch *b, size_t n);              /* they are: ask for all n */
void pg_batch_params(struct pg_batch *b, struct pg_param *out); /* n_columns of them, for now */
NODISCARD bool pg_batch_halve(struct pg_batch *b);              /* false: one row stands alone */
NODISCARD bool pg_batch_next(struct pg_batch *b); /* false: nothing is left to ask for */

#endif

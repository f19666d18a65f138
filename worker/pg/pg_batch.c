/* Batches of rows and their halving. */
#include "worker/pg/pg_batch.h"

#include "common/mem.h"

void pg_batch_init(struct pg_batch *b, const char *head, int n_scalars,
                   const struct pg_column *columns, size_t n_columns)
{
    struct buf sql = BUF_INIT;

    if (n_columns > PG_BATCH_COLUMNS_MAX || (size_t)n_scalars + n_columns > PG_PARAMS_MAX)
        panic("a batch of %zu columns", n_columns);
    *b = (struct pg_batch){.n_columns = n_columns};
    buf_add_text(&sql, head);
    for (size_t i = 0; i < n_columns; i++) {
        buf_add_fmt(&sql, ", %s => $%d::%s[]", columns[i].name, n_scalars + (int)i + 1,
                    pg_type_to_text(columns[i].type));
        pg_array_init(&b->whole[i], columns[i].type);
        pg_array_init(&b->part[i], columns[i].type);
    }
    buf_add_char(&sql, ')');
    b->sql = mem_must_strdup(buf_text(&sql));
    buf_free(&sql);
}

void pg_batch_free(struct pg_batch *b)
{
    for (size_t i = 0; i < b->n_columns; i++) {
        pg_array_free(&b->whole[i]);
        pg_array_free(&b->part[i]);
    }
    mem_free(b->sql);
    b->sql = NULL;
}

void pg_batch_clear(struct pg_batch *b)
{
    for (size_t i = 0; i < b->n_columns; i++)
        pg_array_clear(&b->whole[i]);
}

void pg_batch_start(struct pg_batch *b, size_t n)
{
    b->from = 0;
    b->n = (int32_t)n;
    b->n_later = 0;
}

void pg_batch_params(struct pg_batch *b, struct pg_param *out)
{
    for (size_t i = 0; i < b->n_columns; i++) {
        bool all = b->n == b->whole[i].n;
        if (!all)
            pg_array_set_slice(&b->part[i], &b->whole[i], b->from, b->n);
        out[i] = pg_array_param(all ? &b->whole[i] : &b->part[i]);
    }
}

bool pg_batch_halve(struct pg_batch *b)
{
    int32_t first = b->n / 2;

    if (b->n <= 1)
        return false;
    b->later[b->n_later].from = b->from + first;
    b->later[b->n_later].n = b->n - first;
    b->n_later++;
    b->n = first;
    return true;
}

bool pg_batch_next(struct pg_batch *b)
{
    if (b->n_later == 0)
        return false;
    b->n_later--;
    b->from = b->later[b->n_later].from;
    b->n = b->later[b->n_later].n;
    return true;
}

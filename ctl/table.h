/* Prints rows as aligned columns, with a head, to stdout. */
#ifndef SENDCODE_CTL_TABLE_H
#define SENDCODE_CTL_TABLE_H

struct pg_sync_rows;

/* The text of a cell, never NULL; lives until the next call. Row TABLE_HEAD: the column's name. */
#define TABLE_HEAD (-1)
typedef const char *table_cell(const void *arg, int row, int col);

void table_print_cells(int count, int columns, table_cell *cell_of, const void *arg);

/* Of a table that is printed a page at a time: zero at first; columns only grow wider. */
#define TABLE_COLUMNS_MAX 16
struct table_layout {
    int widths[TABLE_COLUMNS_MAX];
    int pages;
};

/* The next page; the first one has the head. */
void table_print_page(const struct pg_sync_rows *rows, struct table_layout *layout);

/* The rows of a query. */
void table_print(const struct pg_sync_rows *rows);

#endif

/* Prints rows as aligned columns, with a head, to stdout. */
#ifndef SENDCODE_CTL_TABLE_H
#define SENDCODE_CTL_TABLE_H

struct pg_sync_rows;

/* The text of a cell, never NULL; lives until the next call. Row TABLE_HEAD: the column's name. */
#define TABLE_HEAD (-1)
typedef const char *table_cell(const void *arg, int row, int col);

void table_print_cells(int count, int columns, table_cell *cell_of, const void *arg);

/* The rows of a query. */
void table_print(const struct pg_sync_rows *rows);

#endif

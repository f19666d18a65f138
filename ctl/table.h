/* Prints the rows of a query as aligned columns. */
#ifndef SENDCODE_CTL_TABLE_H
#define SENDCODE_CTL_TABLE_H

struct pg_sync_rows;

/* With a head of the columns' names, to stdout. */
void table_print(const struct pg_sync_rows *rows);

#endif

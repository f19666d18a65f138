/* Aligned columns, two blanks apart, none at the end; a character of UTF-8 counts as one column. */
#include "ctl/table.h"

#include <stdio.h>

#include "common/base.h"
#include "common/pg/pg_sync.h"
#include "common/text.h"

static int width_of(const char *s)
{
    return (int)text_utf8_length(s);
}

static void print_page(int count, int columns, table_cell *cell_of, const void *arg,
                       struct table_layout *layout)
{
    int first = layout->pages++ ? 0 : TABLE_HEAD;
    int *widths = layout->widths;

    columns = MIN(columns, TABLE_COLUMNS_MAX);
    for (int row = first; row < count; row++)
        for (int col = 0; col < columns; col++)
            widths[col] = MAX(widths[col], width_of(cell_of(arg, row, col)));
    for (int row = first; row < count; row++) {
        int gap = 0;
        for (int col = 0; col < columns; col++) {
            const char *s = cell_of(arg, row, col);
            if (*s)
                printf("%*s%s", gap, "", s);
            gap = (*s ? 0 : gap) + widths[col] - width_of(s) + 2;
        }
        putchar('\n');
    }
}

void table_print_cells(int count, int columns, table_cell *cell_of, const void *arg)
{
    struct table_layout layout = {0};

    print_page(count, columns, cell_of, arg, &layout);
}

static const char *cell_of_rows(const void *arg, int row, int col)
{
    const struct pg_sync_rows *rows = arg;
    const char *s = row == TABLE_HEAD ? pg_sync_column(rows, col) : pg_sync_cell(rows, row, col);

    return s ? s : "";
}

void table_print_page(const struct pg_sync_rows *rows, struct table_layout *layout)
{
    print_page(pg_sync_count(rows), pg_sync_columns(rows), cell_of_rows, rows, layout);
}

void table_print(const struct pg_sync_rows *rows)
{
    table_print_cells(pg_sync_count(rows), pg_sync_columns(rows), cell_of_rows, rows);
}

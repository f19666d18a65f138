/* Aligned columns, two blanks apart, none at the end; a character of UTF-8 counts as one column. */
#include "ctl/table.h"

#include <stdio.h>

#include "common/base.h"
#include "common/pg/pg_sync.h"
#include "common/text.h"

#define COLUMNS_MAX 16

static int width_of(const char *s)
{
    return (int)text_utf8_length(s);
}

static const char *cell_of(const struct pg_sync_rows *rows, int row, int col)
{
    const char *s = row < 0 ? pg_sync_column(rows, col) : pg_sync_cell(rows, row, col);

    return s ? s : "";
}

void table_print(const struct pg_sync_rows *rows)
{
    int widths[COLUMNS_MAX] = {0};
    int columns = MIN(pg_sync_columns(rows), COLUMNS_MAX);

    for (int row = -1; row < pg_sync_count(rows); row++)
        for (int col = 0; col < columns; col++)
            widths[col] = MAX(widths[col], width_of(cell_of(rows, row, col)));
    for (int row = -1; row < pg_sync_count(rows); row++) {
        int gap = 0;
        for (int col = 0; col < columns; col++) {
            const char *s = cell_of(rows, row, col);
            if (*s)
                printf("%*s%s", gap, "", s);
            gap = (*s ? 0 : gap) + widths[col] - width_of(s) + 2;
        }
        putchar('\n');
    }
}

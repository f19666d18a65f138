/*
 * One cell of CSV (RFC 4180). A text that a spreadsheet would take for a formula gets an apostrophe
 * before it, so that nothing which a stranger wrote into a record is run by whoever opens the file.
 */
#ifndef SENDCODE_CTL_CSV_H
#define SENDCODE_CTL_CSV_H

struct buf;

/* NULL is an empty cell, and the empty text is "". */
void csv_add_cell(struct buf *out, const char *text);

#endif

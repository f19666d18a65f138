/*
 * Outcomes and notes as rows of sendcode.record and sendcode.note_records, and record's answers.
 */
#ifndef SENDCODE_WORKER_PG_PG_RECORD_H
#define SENDCODE_WORKER_PG_PG_RECORD_H

#include "common/base.h"

struct note;
struct outcome;
struct outcome_answer;
struct pg_batch;
struct pg_result;

#define PG_RECORD_SCALARS 2 /* worker, topic */
#define PG_NOTE_SCALARS 1   /* topic */

void pg_record_init(struct pg_batch *b);
void pg_record_add(struct pg_batch *b, const struct outcome *row);

/* Ages are counted to the moment of asking: began_us is the boot clock's, one a row added. */
void pg_record_set_ages(struct pg_batch *b, const int64_t *began_us, int64_t now_us);

/* The answer's place in the question, from 0. Panics when it is not below n. */
int32_t pg_record_read(const struct pg_result *r, int row, int32_t n, struct outcome_answer *out);

void pg_note_init(struct pg_batch *b);
void pg_note_add(struct pg_batch *b, const struct note *note);

#endif

/* The rows of audit, from a cursor to stdout: a page in memory at a time. */
#ifndef SENDCODE_CTL_AUDIT_ROWS_H
#define SENDCODE_CTL_AUDIT_ROWS_H

#include <stdbool.h>

struct ctl;
struct pg_sync;

enum audit_format { AUDIT_TABLE, AUDIT_CSV, AUDIT_JSONL };

/* Each is text as PostgreSQL reads it, or NULL: any. from is included, to is not. */
struct audit_filter {
    const char *phone, *scene, *state, *from, *to, *provider_code;
};

/* Prints the deliveries that fit, oldest first; returns an exit code. */
int audit_rows_print(const struct ctl *c, struct pg_sync *db, const struct audit_filter *f,
                     enum audit_format format);

#endif

/* The files of schema/, compiled into the program (ctl/embed.cmake). */
#ifndef SENDCODE_CTL_MIGRATIONS_H
#define SENDCODE_CTL_MIGRATIONS_H

#include <stddef.h>

struct sql_text {
    const char *sql; /* NUL-terminated */
    size_t len;
};

struct migration {
    int version; /* without gaps; the first makes a database from nothing */
    const char *name;
    struct sql_text text;
};

extern const struct migration migrations[]; /* in ascending order */
extern const size_t n_migrations;
/* Functions, views, the receipts' codes and the rights, as the last version has them. */
extern const struct sql_text schema_functions;

#endif

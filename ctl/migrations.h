/* The files of schema/, compiled into the program (ctl/embed.cmake), in ascending order. */
#ifndef SENDCODE_CTL_MIGRATIONS_H
#define SENDCODE_CTL_MIGRATIONS_H

#include <stddef.h>

struct migration {
    int version; /* from 1, without gaps */
    const char *name;
    const char *sql; /* NUL-terminated */
    size_t len;
};

extern const struct migration migrations[];
extern const size_t n_migrations;

#endif

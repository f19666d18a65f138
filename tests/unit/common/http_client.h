/* A plain HTTP client for tests: it runs in a thread of its own while the loop serves it. */
#ifndef SENDCODE_TESTS_UNIT_COMMON_HTTP_CLIENT_H
#define SENDCODE_TESTS_UNIT_COMMON_HTTP_CLIENT_H

#include <stddef.h>

struct loop;

/* Runs fn(arg) in a thread and the loop until fn has returned. */
void client_run(struct loop *l, void (*fn)(void *arg), void *arg);

int client_connect(int port); /* a blocking socket to 127.0.0.1 */
void client_send(int fd, const char *text);

struct answer {
    char text[8192]; /* all that came, NUL-terminated */
    size_t len;
    int error; /* errno of the read that ended it, 0 for an orderly end or a whole answer */
};

/* Reads until the end of the connection. */
void client_read_to_end(int fd, struct answer *a);
/* Reads one answer by its Content-Length, or to the end if that comes first. */
void client_read_answer(int fd, struct answer *a);
/* Connects, sends, reads to the end, closes. */
void client_ask(int port, const char *text, struct answer *a);

#endif

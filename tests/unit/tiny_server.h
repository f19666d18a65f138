/*
 * An HTTP server for tests, with every fault that a real one may have: the test gets each whole
 * request and writes raw bytes, or none, or closes. On the loop; listens on 127.0.0.1.
 */
#ifndef SENDCODE_TESTS_UNIT_TINY_SERVER_H
#define SENDCODE_TESTS_UNIT_TINY_SERVER_H

#include "common/base.h"

struct loop;
struct tiny_server;
struct tiny_conn;

/* head: request line and headers with their line ends; both NUL-terminated. */
typedef void tiny_server_fn(void *arg, struct tiny_conn *c, const char *head, const char *body);

struct tiny_server *tiny_server_new(struct loop *l, tiny_server_fn *fn, void *arg);
int tiny_server_port(const struct tiny_server *s);
unsigned tiny_server_connections(const struct tiny_server *s); /* accepted so far */
void tiny_server_close_all(struct tiny_server *s);             /* the connections */
void tiny_server_stop(struct tiny_server *s);                  /* listens no more; closes all */
void tiny_server_free(struct tiny_server *s);

void tiny_conn_write(struct tiny_conn *c, const char *bytes, size_t len);
/* A whole answer with Date (none if date_s < 0) and Content-Length. */
void tiny_conn_reply(struct tiny_conn *c, int status, int64_t date_s, const char *body);
/* May be called in the handler, then the connection is gone; rst: with RST in place of FIN. */
void tiny_conn_close(struct tiny_conn *c, bool rst);

/* The value of a request's header, copied to out; "" when it is not there. */
void tiny_header(const char *head, const char *name, char *out, size_t size);

#endif

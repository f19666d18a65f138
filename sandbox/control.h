/* The control port: messages and faults for tests, a page for people. */
#ifndef SENDCODE_SANDBOX_CONTROL_H
#define SENDCODE_SANDBOX_CONTROL_H

struct http_request;

/* arg: the struct sandbox. */
void control_on_request(void *arg, struct http_request *req);

#endif

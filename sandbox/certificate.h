/* A CA of the sandbox's own and a server certificate for localhost, 127.0.0.1 and ::1. */
#ifndef SENDCODE_SANDBOX_CERTIFICATE_H
#define SENDCODE_SANDBOX_CERTIFICATE_H

#include "common/base.h"

struct err;

struct certificate {
    char *dir;
    char *ca_file;   /* ca.pem: what clients trust */
    char *cert_file; /* server.pem */
    char *key_file;  /* server.key, mode 0600 */
    bool temporary;  /* dir is removed at the end */
};

/* dir NULL: a temporary one. What lies in dir and is valid for another day is used again. */
NODISCARD int certificate_prepare(struct certificate *c, const char *dir, struct err *e);
void certificate_free(struct certificate *c);

#endif

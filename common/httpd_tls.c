/* The TLS side of the HTTP server: certificate, key, and a bufferevent that speaks TLS. */
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "common/err.h"
#include "common/httpd_parts.h"

static const char *openssl_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    return reason != NULL ? reason : "no reason given";
}

struct ssl_ctx_st *httpd_tls_new(const char *cert_pem, const char *key_pem, struct err *e)
{
    ERR_clear_error();
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    if (tls == NULL || SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) != 1) {
        err_set(e, ERR_TEMP, 0, "cannot set up TLS: %s", openssl_reason());
    } else if (SSL_CTX_use_certificate_chain_file(tls, cert_pem) != 1) {
        err_set(e, ERR_PERM, 0, "cannot use the TLS certificate %s: %s", cert_pem,
                openssl_reason());
    } else if (SSL_CTX_use_PrivateKey_file(tls, key_pem, SSL_FILETYPE_PEM) != 1) {
        err_set(e, ERR_PERM, 0, "cannot use the TLS key %s with the certificate %s: %s", key_pem,
                cert_pem, openssl_reason());
    } else {
        return tls;
    }
    ERR_clear_error();
    SSL_CTX_free(tls);
    return NULL;
}

void httpd_tls_free(struct ssl_ctx_st *tls)
{
    SSL_CTX_free(tls);
}

struct bufferevent *httpd_tls_connection(struct ssl_ctx_st *tls, struct event_base *base)
{
    SSL *ssl = SSL_new(tls);
    if (ssl == NULL) {
        return NULL;
    }
    struct bufferevent *bev = bufferevent_openssl_socket_new(
        base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
    if (bev == NULL) {
        SSL_free(ssl);
        return NULL;
    }
    bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
    return bev;
}

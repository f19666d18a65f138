/*
 * Makes the certificates with OpenSSL. The CA's key signs once and is thrown away: a new server
 * certificate comes with a new CA.
 */
#include "sandbox/certificate.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/mem.h"

#define LIFE_DAYS 825
#define DAY_S 86400L

static char *join(const char *dir, const char *name)
{
    struct buf path = BUF_INIT;
    buf_add_fmt(&path, "%s/%s", dir, name);
    char *s = mem_must_strdup(buf_text(&path));
    buf_free(&path);
    return s;
}

static int openssl_failed(struct err *e, const char *what)
{
    char why[200];
    ERR_error_string_n(ERR_get_error(), why, sizeof why);
    return err_set(e, ERR_TEMP, 0, "%s: %s", what, why);
}

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool ok = ext && X509_add_ext(cert, ext, -1) == 1;
    X509_EXTENSION_free(ext);
    return ok;
}

static bool set_basics(X509 *cert, EVP_PKEY *key, const char *name)
{
    unsigned char serial[16];
    X509_NAME *subject = X509_get_subject_name(cert);
    if (RAND_bytes(serial, sizeof serial) != 1)
        return false;
    serial[0] &= 0x7f; /* a positive number */
    BIGNUM *bn = BN_bin2bn(serial, sizeof serial, NULL);
    bool ok = bn && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(cert)) &&
              X509_set_version(cert, X509_VERSION_3) == 1 &&
              X509_gmtime_adj(X509_getm_notBefore(cert), -DAY_S) &&
              X509_gmtime_adj(X509_getm_notAfter(cert), LIFE_DAYS * DAY_S) &&
              X509_set_pubkey(cert, key) == 1 &&
              X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name,
                                         -1, -1, 0) == 1;
    BN_free(bn);
    return ok;
}

static X509 *make_ca(EVP_PKEY *key)
{
    X509 *ca = X509_new();
    if (ca && set_basics(ca, key, "sendcode sandbox CA") &&
        X509_set_issuer_name(ca, X509_get_subject_name(ca)) == 1 &&
        add_extension(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
        add_extension(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign") &&
        add_extension(ca, ca, NID_subject_key_identifier, "hash") &&
        X509_sign(ca, key, EVP_sha256()) > 0)
        return ca;
    X509_free(ca);
    return NULL;
}

static X509 *make_server(EVP_PKEY *key, X509 *ca, EVP_PKEY *ca_key)
{
    X509 *cert = X509_new();
    if (cert && set_basics(cert, key, "localhost") &&
        X509_set_issuer_name(cert, X509_get_subject_name(ca)) == 1 &&
        add_extension(cert, ca, NID_basic_constraints, "critical,CA:FALSE") &&
        add_extension(cert, ca, NID_key_usage, "critical,digitalSignature") &&
        add_extension(cert, ca, NID_ext_key_usage, "serverAuth") &&
        add_extension(cert, ca, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1") &&
        add_extension(cert, ca, NID_authority_key_identifier, "keyid") &&
        X509_sign(cert, ca_key, EVP_sha256()) > 0)
        return cert;
    X509_free(cert);
    return NULL;
}

/* The file is made anew with its final mode, so that the key is never readable by others. */
static int write_pem(const char *path, mode_t mode, X509 *cert, EVP_PKEY *key, struct err *e)
{
    mode_t old = umask((mode_t)~mode & 0777);
    unlink(path);
    FILE *f = fopen(path, "wxe");
    umask(old);
    if (!f)
        return err_set(e, ERR_PERM, errno, "%s cannot be written: %s", path, strerror(errno));
    bool ok = key ? PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1
                  : PEM_write_X509(f, cert) == 1;
    if (fclose(f) != 0 || !ok)
        return err_set(e, ERR_PERM, errno, "%s cannot be written", path);
    return 0;
}

static int make_all(const struct certificate *c, struct err *e)
{
    int rc = -1;
    EVP_PKEY *ca_key = EVP_EC_gen("P-256");
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *ca = ca_key ? make_ca(ca_key) : NULL;
    X509 *cert = ca && key ? make_server(key, ca, ca_key) : NULL;
    if (!cert)
        openssl_failed(e, "the certificate cannot be made");
    else if (write_pem(c->key_file, 0600, NULL, key, e) == 0 &&
             write_pem(c->cert_file, 0644, cert, NULL, e) == 0 &&
             write_pem(c->ca_file, 0644, ca, NULL, e) == 0)
        rc = 0;
    X509_free(cert);
    X509_free(ca);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ca_key);
    return rc;
}

static X509 *read_cert(const char *path)
{
    FILE *f = fopen(path, "re");
    X509 *cert = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;
    if (f)
        fclose(f);
    return cert;
}

/* The three files belong together and are valid for another day. */
static bool is_usable(const struct certificate *c)
{
    time_t tomorrow = time(NULL) + DAY_S;
    X509 *ca = read_cert(c->ca_file);
    X509 *cert = read_cert(c->cert_file);
    FILE *f = fopen(c->key_file, "re");
    EVP_PKEY *key = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;
    bool ok = ca && cert && key && X509_check_private_key(cert, key) == 1 &&
              X509_verify(cert, X509_get0_pubkey(ca)) == 1 &&
              X509_cmp_time(X509_get0_notAfter(cert), &tomorrow) > 0 &&
              X509_cmp_time(X509_get0_notAfter(ca), &tomorrow) > 0;
    if (f)
        fclose(f);
    EVP_PKEY_free(key);
    X509_free(cert);
    X509_free(ca);
    ERR_clear_error();
    return ok;
}

static int choose_dir(struct certificate *c, const char *dir, struct err *e)
{
    const char *tmp = getenv("TMPDIR");
    if (dir) {
        c->dir = mem_must_strdup(dir);
        if (mkdir(dir, 0755) < 0 && errno != EEXIST)
            return err_set(e, ERR_PERM, errno, "--tls-dir %s cannot be made: %s", dir,
                           strerror(errno));
        return 0;
    }
    c->dir = join(tmp && tmp[0] ? tmp : "/tmp", "sendcode-sandbox.XXXXXX");
    if (!mkdtemp(c->dir))
        return err_set(e, ERR_PERM, errno, "no temporary directory can be made: %s",
                       strerror(errno));
    c->temporary = true;
    return 0;
}

int certificate_prepare(struct certificate *c, const char *dir, struct err *e)
{
    *c = (struct certificate){0};
    if (choose_dir(c, dir, e) < 0)
        goto fail;
    c->ca_file = join(c->dir, "ca.pem");
    c->cert_file = join(c->dir, "server.pem");
    c->key_file = join(c->dir, "server.key");
    if (is_usable(c) || make_all(c, e) == 0)
        return 0;

fail:
    certificate_free(c);
    return -1;
}

void certificate_free(struct certificate *c)
{
    if (c->temporary && c->ca_file) {
        unlink(c->ca_file);
        unlink(c->cert_file);
        unlink(c->key_file);
        rmdir(c->dir);
    }
    mem_free(c->ca_file);
    mem_free(c->cert_file);
    mem_free(c->key_file);
    mem_free(c->dir);
    *c = (struct certificate){0};
}

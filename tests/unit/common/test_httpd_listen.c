/* Where the HTTP server listens, and its TLS: what is refused, and who is believed. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/err.h"
#include "common/httpd.h"
#include "common/log.h"
#include "common/loop.h"
#include "tests/check.h"
#include "tests/unit/common/http_client.h"

static const struct httpd_limits limits = {
    .max_body = 100,
    .max_header = 1000,
    .timeout_s = 30,
    .max_connections = 10,
};

static struct loop *l;
static struct httpd *h;
static char folder[] = "/tmp/sendcode-httpd-XXXXXX";
static char cert_file[64];
static char other_file[64];
static char key_file[64];

static void handle(void *arg, struct http_request *req)
{
    (void)arg;
    http_reply(req, 200, "text/plain", "served", 6);
}

/* A certificate for 127.0.0.1 that signs itself, in cert_name; its key in key_name. */
static void make_certificate(const char *cert_name, const char *key_name)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    assert_non_null(key);
    assert_non_null(cert);
    assert_int_equal(X509_set_version(cert, 2), 1);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME *name = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)cert_name, -1, -1,
                               0);
    X509_set_issuer_name(cert, name);
    X509_set_pubkey(cert, key);
    X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(cert, san, -1);
    X509_EXTENSION_free(san);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    FILE *f = fopen(cert_name, "w");
    assert_non_null(f);
    PEM_write_X509(f, cert);
    fclose(f);
    f = fopen(key_name, "w");
    assert_non_null(f);
    PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static int make_files(void **state)
{
    (void)state;
    char other_key[64];
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    snprintf(cert_file, sizeof(cert_file), "%s/cert", folder);
    snprintf(key_file, sizeof(key_file), "%s/key", folder);
    snprintf(other_file, sizeof(other_file), "%s/other", folder);
    snprintf(other_key, sizeof(other_key), "%s/other-key", folder);
    make_certificate(other_file, other_key);
    unlink(other_key);
    make_certificate(cert_file, key_file);
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    unlink(cert_file);
    unlink(key_file);
    unlink(other_file);
    return rmdir(folder);
}

static int warnings;

static void count_line(void *arg, const char *line, size_t len)
{
    (void)arg;
    (void)line;
    (void)len;
    __atomic_add_fetch(&warnings, 1, __ATOMIC_SEQ_CST);
}

static int set_up(void **state)
{
    (void)state;
    struct err e;
    log_set_sink(count_line, NULL);
    warnings = 0;
    l = loop_new(&e);
    h = httpd_new(l, &limits, handle, NULL, &e);
    return h != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    httpd_free(h);
    loop_free(l);
    log_set_sink(NULL, NULL);
    return 0;
}

static void addresses_that_are_none_are_refused_by_name(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",       "127.0.0.1",     "127.0.0.1:",      ":80",    "127.0.0.1:65536",
        "::1:80", "127.0.0.1:80x", "[::1]",           "[::1",   "[::1]80",
        "[]:80",  "127.0.0.1:-1",  "127.0.0.1:80:80", "[::1]:", "127.0.0.999:80",
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = {0};
        if (httpd_listen(h, cases[i], &e) != -1 || e.class != ERR_PERM ||
            strstr(e.text, cases[i]) == NULL) {
            fail_msg("%s: %s", cases[i], e.text);
        }
    }
}

static void a_port_that_is_taken_is_an_error_and_a_second_address_is_not(void **state)
{
    (void)state;
    struct err e = {0};
    char address[32];
    int port = httpd_listen(h, "127.0.0.1:0", &e);
    assert_true(port > 0);
    snprintf(address, sizeof(address), "127.0.0.1:%d", port);
    assert_int_equal(httpd_listen(h, address, &e), -1);
    assert_int_equal(e.class, ERR_TEMP);
    assert_non_null(strstr(e.text, address));
    assert_true(httpd_listen(h, "127.0.0.1:0", &e) > 0);
}

static void certificate_and_key_must_be_there_and_fit(void **state)
{
    (void)state;
    const struct {
        const char *cert;
        const char *key;
        const char *blamed;
    } cases[] = {
        {"/nowhere/cert", key_file,       "/nowhere/cert"},
        {cert_file,       "/nowhere/key", "/nowhere/key" },
        {other_file,      key_file,       key_file       },
        {key_file,        key_file,       key_file       },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = {0};
        assert_int_equal(httpd_listen_tls(h, "127.0.0.1:0", cases[i].cert, cases[i].key, &e), -1);
        assert_int_equal(e.class, ERR_PERM);
        assert_non_null(strstr(e.text, cases[i].blamed));
    }
}

struct tls_exchange {
    int port;
    const char *ca_file;
    bool verified;
    char text[1024];
};

static void exchange_tls(void *arg)
{
    struct tls_exchange *x = arg;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_load_verify_locations(ctx, x->ca_file, NULL);
    SSL *ssl = SSL_new(ctx);
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), "127.0.0.1");
    int fd = client_connect(x->port);
    SSL_set_fd(ssl, fd);
    x->verified = SSL_connect(ssl) == 1;
    static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    size_t len = 0;
    for (int round = 0; x->verified && round < 2; round++) {
        SSL_write(ssl, request, (int)strlen(request));
        len = 0;
        x->text[0] = '\0';
        while (strstr(x->text, "served") == NULL) {
            int n = SSL_read(ssl, x->text + len, (int)(sizeof(x->text) - 1 - len));
            if (n <= 0) {
                break;
            }
            len += (size_t)n;
            x->text[len] = '\0';
        }
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(fd);
}

static void tls_is_served_to_who_trusts_the_certificate(void **state)
{
    (void)state;
    struct err e = {0};
    struct tls_exchange x = {.ca_file = cert_file};
    x.port = httpd_listen_tls(h, "127.0.0.1:0", cert_file, key_file, &e);
    assert_true(x.port > 0);
    client_run(l, exchange_tls, &x);
    assert_true(x.verified);
    assert_memory_equal(x.text, "HTTP/1.1 200 OK\r\n", 17);
    assert_non_null(strstr(x.text, "\r\n\r\nserved"));

    struct tls_exchange other = {.ca_file = other_file, .port = x.port};
    client_run(l, exchange_tls, &other);
    assert_false(other.verified);
}

struct plain_exchange {
    int port;
    struct answer answer;
};

static void exchange_plain(void *arg)
{
    struct plain_exchange *x = arg;
    client_ask(x->port, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", &x->answer);
}

static void plain_http_on_the_tls_port_gets_no_answer(void **state)
{
    (void)state;
    struct err e = {0};
    static struct plain_exchange x;
    x.port = httpd_listen_tls(h, "127.0.0.1:0", cert_file, key_file, &e);
    assert_true(x.port > 0);
    client_run(l, exchange_plain, &x);
    assert_null(strstr(x.answer.text, "HTTP/1.1 200"));
    x.port = httpd_listen(h, "127.0.0.1:0", &e);
    client_run(l, exchange_plain, &x);
    assert_non_null(strstr(x.answer.text, "served"));
}

/* Takes all file descriptors but one, for the connection; gives them back once the server
 * complains. */
static void ask_without_descriptors(void *arg)
{
    struct plain_exchange *x = arg;
    int taken[64];
    size_t n = 0;
    while (n < ARRAY_LEN(taken) && (taken[n] = dup(STDERR_FILENO)) >= 0) {
        n++;
    }
    close(taken[--n]);
    int fd = client_connect(x->port);
    client_send(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    while (__atomic_load_n(&warnings, __ATOMIC_SEQ_CST) == 0) {
        sched_yield();
    }
    while (n > 0) {
        close(taken[--n]);
    }
    client_read_answer(fd, &x->answer);
    close(fd);
}

static void without_file_descriptors_a_connection_waits(void **state)
{
    (void)state;
    struct err e = {0};
    static struct plain_exchange x;
    struct rlimit before;
    x.port = httpd_listen(h, "127.0.0.1:0", &e);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit few = {.rlim_cur = 60, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    client_run(l, ask_without_descriptors, &x);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(warnings, 1);
    assert_non_null(strstr(x.answer.text, "served"));
}

static void send_half_a_request(void *arg)
{
    struct plain_exchange *x = arg;
    client_ask(x->port, "GET / HTTP/1.1\r\nHost:", &x->answer);
}

static const struct answer *answer_to_half_a_request(const struct httpd_limits *short_limits)
{
    static struct plain_exchange x;
    struct err e = {0};
    struct httpd *impatient = httpd_new(l, short_limits, handle, NULL, &e);

    assert_non_null(impatient);
    x.port = httpd_listen(impatient, "127.0.0.1:0", &e);
    client_run(l, send_half_a_request, &x);
    httpd_free(impatient);
    return &x.answer;
}

static void a_silent_connection_is_closed(void **state)
{
    (void)state;
    struct httpd_limits short_limits = limits;
    short_limits.timeout_s = 1;
    const struct answer *answer = answer_to_half_a_request(&short_limits);
    assert_string_equal(answer->text, "");
    assert_int_equal(answer->error, 0);
}

static void a_request_that_does_not_come_to_its_end_is_cut(void **state)
{
    (void)state;
    struct httpd_limits short_limits = limits;
    short_limits.timeout_s = 600;
    short_limits.request_s = 1;
    assert_string_equal(answer_to_half_a_request(&short_limits)->text, "");
}

int main(void)
{
#define LISTEN_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        LISTEN_TEST(addresses_that_are_none_are_refused_by_name),
        LISTEN_TEST(a_port_that_is_taken_is_an_error_and_a_second_address_is_not),
        LISTEN_TEST(certificate_and_key_must_be_there_and_fit),
        LISTEN_TEST(tls_is_served_to_who_trusts_the_certificate),
        LISTEN_TEST(plain_http_on_the_tls_port_gets_no_answer),
        LISTEN_TEST(without_file_descriptors_a_connection_waits),
        LISTEN_TEST(a_silent_connection_is_closed),
        LISTEN_TEST(a_request_that_does_not_come_to_its_end_is_cut),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}

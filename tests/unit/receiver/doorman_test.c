/* Who is let in, by path and by address, directly and through a proxy. */
#include <string.h>

#include "common/settings/settings.h"
#include "receiver/doorman.h"
#include "receiver/networks.h"
#include "tests/check.h"

static char path[] = "/receipts/0123456789abcdef0123456789";

static struct settings settings_with(const char *allow, bool trust_proxy)
{
    static char text[256];
    struct settings s = {.secrets.receipt_path = path, .receiver.trust_proxy = trust_proxy};
    if (allow)
        s.receiver.allow = strcpy(text, allow);
    return s;
}

static void only_the_whole_path_is_known(void **state)
{
    (void)state;
    struct settings s = settings_with(NULL, false);
    struct doorman *d = doorman_new(&s);
    assert_true(doorman_knows_path(d, "/receipts/0123456789abcdef0123456789"));
    assert_false(doorman_knows_path(d, "/receipts/0123456789abcdef012345678"));
    assert_false(doorman_knows_path(d, "/receipts/0123456789abcdef0123456789/"));
    assert_false(doorman_knows_path(d, ""));
    doorman_free(d);
}

static void networks_have_the_addresses_of_their_bits(void **state)
{
    static const struct {
        const char *list, *address;
        bool in;
    } rows[] = {
        {"10.0.0.0/8",          "10.255.0.1",       true },
        {"10.0.0.0/8",          "11.0.0.0",         false},
        {"10.0.0.0/8",          "::ffff:10.1.2.3",  true },
        {"::ffff:10.0.0.0/104", "10.1.2.3",         true },
        {"192.168.4.0/22",      "192.168.7.255",    true },
        {"192.168.4.0/22",      "192.168.8.0",      false},
        {"1.2.3.4",             "1.2.3.4",          true },
        {"1.2.3.4",             "1.2.3.5",          false},
        {"0.0.0.0/0",           "255.1.1.1",        true },
        {"0.0.0.0/0",           "2001:db8::1",      false},
        {"::/0",                "2001:db8::1",      true },
        {"2001:db8::/33",       "2001:db8:7fff::1", true },
        {"2001:db8::/33",       "2001:db8:8000::1", false},
        {"1.1.1.1 , fe80::1",   "fe80::1%eth0",     true },
        {"1.1.1.1,\t2.2.2.2",   "2.2.2.2",          true },
        {"::/0",                "",                 false},
        {"::/0",                "1.2.3",            false},
        {"::/0",                "unix:",            false},
        {NULL,                  "1.2.3.4",          false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct networks *n = networks_new(rows[i].list);
        assert_int_equal(networks_have(n, rows[i].address), rows[i].in);
        networks_free(n);
    }
}

static void a_proxy_is_believed_only_where_it_may_be_one(void **state)
{
    static const struct {
        const char *allow;
        bool trust_proxy;
        const char *peer, *forwarded, *caller;
        bool in;
    } rows[] = {
        {NULL,         false, "9.9.9.9",   NULL,                "9.9.9.9",   true },
        {"10.0.0.0/8", false, "10.1.1.1",  NULL,                "10.1.1.1",  true },
        {"10.0.0.0/8", false, "127.0.0.1", "10.1.1.1",          "127.0.0.1", false},
        {"10.0.0.0/8", true,  "127.0.0.1", "10.1.1.1",          "10.1.1.1",  true },
        {"10.0.0.0/8", true,  "::1",       "8.8.8.8, 10.1.1.1", "10.1.1.1",  true },
        {"10.0.0.0/8", true,  "10.2.2.2",  "10.1.1.1,8.8.8.8",  "8.8.8.8",   false},
        {"10.0.0.0/8", true,  "8.8.8.8",   "10.1.1.1",          "8.8.8.8",   false},
        {"10.0.0.0/8", true,  "127.0.0.1", NULL,                "127.0.0.1", false},
        {"10.0.0.0/8", true,  "127.0.0.1", "10.1.1.1,",         "",          false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct settings s = settings_with(rows[i].allow, rows[i].trust_proxy);
        struct doorman *d = doorman_new(&s);
        const char *caller = doorman_caller(d, rows[i].peer, rows[i].forwarded);
        assert_string_equal(caller, rows[i].caller);
        assert_int_equal(doorman_lets_in(d, caller), rows[i].in);
        doorman_free(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_whole_path_is_known),
        cmocka_unit_test(networks_have_the_addresses_of_their_bits),
        cmocka_unit_test(a_proxy_is_believed_only_where_it_may_be_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

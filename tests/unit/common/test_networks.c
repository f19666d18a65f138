/* Which addresses a list of networks has, and what is no list. */
#include "common/networks.h"
#include "tests/check.h"

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

static void what_is_no_list_is_refused(void **state)
{
    static const char *const lists[] = {
        "",       " ",     ",",        "10.0.0.0/33", "10.0.0.0/8,",  "1.2.3.4 ::1",
        "::/129", "1.2.3", "1.2.3.4/", "1.2.3.4/+8",  "1.2.3.4/008/", "localhost"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        struct networks *n = networks_new(lists[i]);
        assert_null(n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_have_the_addresses_of_their_bits),
        cmocka_unit_test(what_is_no_list_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

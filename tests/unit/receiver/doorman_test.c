/* Who is let in, by path and by address, directly and through a proxy. */
#include <string.h>

#include "common/settings/settings.h"
#include "receiver/doorman.h"
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
        cmocka_unit_test(a_proxy_is_believed_only_where_it_may_be_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

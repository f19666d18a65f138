/* Of several hosts each has its turn to be the first, with its own address and port. */
#include <stdlib.h>

#include "common/pg/pg_hosts.h"
#include "tests/check.h"

struct hosts_case {
    const char *dsn;
    size_t first, n;
    const char *host, *hostaddr, *port;
};

static void each_has_its_turn(void **state)
{
    static const struct hosts_case cases[] = {
        {"host=a,b,c port=1,2,3",           0, 3, "a,b,c", "",              "1,2,3"},
        {"host=a,b,c port=1,2,3",           1, 3, "b,c,a", "",              "2,3,1"},
        {"host=a,b,c port=1,2,3",           5, 3, "c,a,b", "",              "3,1,2"},
        {"host=a,b port=7",                 1, 2, "b,a",   "",              ""     },
        {"host=a,b",                        1, 2, "b,a",   "",              ""     },
        {"host=a,b hostaddr=127.0.0.1,::1", 1, 2, "b,a",   "::1,127.0.0.1", ""     },
        {"hostaddr=127.0.0.1,::1",          1, 2, "",      "::1,127.0.0.1", ""     },
        {"host=a,,c",                       1, 3, ",c,a",  "",              ""     },
        {"postgresql://a:1,b:2/db",         1, 2, "b,a",   "",              "2,1"  },
        {"host=a",                          1, 1, "",      "",              ""     },
        {"dbname=x",                        3, 1, "",      "",              ""     },
        {"host=",                           3, 1, "",      "",              ""     },
        {"not a dsn",                       1, 1, "",      "",              ""     },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct hosts_case *c = &cases[i];
        struct pg_hosts h;
        struct buf out = BUF_INIT;
        pg_hosts_init(&h, c->dsn);
        assert_int_equal(h.n, c->n);
        pg_hosts_rotate(&h, PG_LIST_HOST, c->first, &out);
        assert_string_equal(buf_text(&out), c->host);
        pg_hosts_rotate(&h, PG_LIST_HOSTADDR, c->first, &out);
        assert_string_equal(buf_text(&out), c->hostaddr);
        pg_hosts_rotate(&h, PG_LIST_PORT, c->first, &out);
        assert_string_equal(buf_text(&out), c->port);
        buf_free(&out);
        pg_hosts_free(&h);
    }
}

static void environment_has_them_too(void **state)
{
    struct pg_hosts h;
    struct buf out = BUF_INIT;
    (void)state;
    setenv("PGHOST", "a,b", 1);
    pg_hosts_init(&h, "dbname=x");
    pg_hosts_rotate(&h, PG_LIST_HOST, 1, &out);
    assert_string_equal(buf_text(&out), "b,a");
    unsetenv("PGHOST");
    buf_free(&out);
    pg_hosts_free(&h);
}

int main(void)
{
    unsetenv("PGHOST");
    unsetenv("PGHOSTADDR");
    unsetenv("PGPORT");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_has_its_turn),
        cmocka_unit_test(environment_has_them_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

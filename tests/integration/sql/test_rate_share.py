"""sendcode.share_rate: max-min shares of the account's rate, never more than it together."""
import random
import unittest

from support import DatabaseTest


class Shares(DatabaseTest):
    def setUp(self):
        super().setUp()
        self.sql("delete from sendcode.rate_share")

    def ask(self, instance, demand, rate=100, valid_ms=30000):
        return self.sql("select sendcode.share_rate(%s, %s, %s, %s)", instance, rate, demand,
                        valid_ms)[0][0]

    def pass_time(self, ms):
        self.sql("update sendcode.rate_share set asked_at = asked_at - %s * interval '1 ms',"
                 " valid_until = valid_until - %s * interval '1 ms'", ms, ms)

    def in_use(self):
        """What all workers together may be using: of each the largest grant that is valid."""
        return self.sql("select coalesce(sum(g), 0)::int from (select max(granted) as g"
                        " from sendcode.rate_share where valid_until > now()"
                        " group by instance) x")[0][0]

    def at_rest(self, demands, rate=100):
        """The shares once all workers asked for long enough that nothing of before is valid."""
        for _ in range(8):
            shares = {i: self.ask(i, d, rate) for i, d in demands.items()}
            self.assertLessEqual(self.in_use(), rate)
            self.pass_time(10000)
        return shares

    def test_who_is_alone_has_what_it_demands(self):
        self.assertEqual(self.ask("a", 100), 100)
        self.assertEqual(self.ask("a", 900), 100)

    def test_equal_demands_are_granted_equally(self):
        self.assertEqual(self.at_rest({"a": 500, "b": 500}), {"a": 50, "b": 50})

    def test_nobody_gets_more_than_it_demands_while_another_lacks(self):
        self.assertEqual(self.at_rest({"a": 10, "b": 500, "c": 500}), {"a": 10, "b": 45, "c": 45})

    def test_what_nobody_demands_is_spread_evenly_with_a_part_for_who_comes_next(self):
        self.assertEqual(self.at_rest({"a": 20, "b": 0}), {"a": 47, "b": 26})
        self.assertGreaterEqual(self.ask("c", 26), 26)
        self.sql("delete from sendcode.rate_share")
        self.assertEqual(self.at_rest({"a": 0, "b": 0}), {"a": 33, "b": 33})

    def test_a_newcomer_gets_what_the_others_use_no_more(self):
        self.ask("a", 500)
        self.assertEqual(self.ask("b", 500), 0)
        self.pass_time(10000)
        self.assertEqual(self.ask("a", 500), 50)
        self.assertEqual(self.ask("b", 500), 0)  # a's answer may be lost: it may still use 100
        self.pass_time(20000)
        self.assertEqual(self.ask("b", 500), 50)

    def test_a_dead_workers_share_returns(self):
        self.at_rest({"a": 500, "b": 500})
        for _ in range(4):
            share = self.ask("a", 500)
            self.pass_time(10000)
        self.assertEqual(share, 100)
        self.assertEqual(self.sql("select distinct instance from sendcode.rate_share"), [("a",)])

    def test_what_cannot_be_divided_goes_around(self):
        shares = self.at_rest({"a": 9, "b": 9, "c": 9}, rate=5)
        self.assertEqual(sorted(shares.values()), [1, 2, 2])
        self.sql("set search_path = sendcode")
        self.addCleanup(self.sql, "reset search_path")
        turns = {tuple(self.sql("select sendcode.fair_share('a', 1, 9, %s::timestamptz)",
                                f"2026-01-01 00:00:{n:02d}Z")[0]) for n in range(0, 60, 5)}
        self.assertEqual(turns, {(0,), (1,)})

    def test_at_no_moment_they_have_more_than_the_rate_together(self):
        rng = random.Random(4)
        for _ in range(300):
            self.ask(rng.choice("abcd"), rng.choice((0, 1, 30, 100, 5000)))
            self.assertLessEqual(self.in_use(), 100)
            self.pass_time(rng.randrange(8000))
            self.sql("delete from sendcode.rate_share where valid_until <= now()")

    def test_a_rate_that_was_lowered_holds_at_once_for_who_asks(self):
        self.at_rest({"a": 500, "b": 500})
        self.assertEqual(self.ask("a", 500, rate=40), 0)
        self.pass_time(30000)
        self.assertEqual(self.ask("a", 500, rate=40), 40)
        self.assertEqual(self.ask("b", -5, rate=0), 0)


if __name__ == "__main__":
    unittest.main()

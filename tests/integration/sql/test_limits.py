"""Limits over all scenes: of a phone, of a client address, and the mirror of the provider's own."""
import datetime
import unittest

from support import DatabaseTest, Worker, ago, now


def seconds_of_the_day_in_china(at):
    return (at + datetime.timedelta(hours=8)).timestamp() % 86400


class LimitsTest(DatabaseTest):
    addresses = 0

    def setUp(self):
        super().setUp()
        type(self).addresses += 1
        self.ip = f"192.0.2.{self.addresses}"

    def limit(self, **limits):
        self.worker.limits.update(limits)

    def other(self, number, **given):
        """A job of another phone."""
        return self.job(phone=f"{self.phone[:6]}9{self.addresses:03d}{number:04d}", **given)

    def claims(self, row=None, end="sent", **given):
        answer = self.worker.claim_one(row := row or self.job(**given))
        if answer.verdict == "send":
            self.worker.record_one(row, answer, end)
        return answer.state, answer.reason, answer.retry_after

    def assert_limited(self, said, reason, retry_after, slack=10):
        self.assertEqual(said[:2], ("limited", reason))
        self.assertTrue(retry_after - slack <= said[2] <= retry_after, said)

    def phone_row(self):
        return self.sql("select * from sendcode.phone_limit where phone = %s", self.phone)[0]

    def address_rows(self, address):
        return self.sql("select * from sendcode.address_limit where address = %s", address)

    def age_address(self, seconds):
        self.sql("update sendcode.address_limit set hour_from = hour_from - %s * interval '1 s',"
                 " day_from = day_from - %s * interval '1 s', over_at = over_at - %s * interval"
                 " '1 s'", seconds, seconds, seconds)


class Phones(LimitsTest):
    def test_a_day_counts_over_all_scenes_and_says_when_it_is_over(self):
        self.limit(phone_per_day=2)
        self.assertEqual(self.claims()[0], "claimed")
        self.age(3000)
        self.assertEqual(self.claims(scene="register")[0], "claimed")
        self.assert_limited(self.claims(scene="pay"), "phone", 83400)
        self.age(83400)
        self.assertEqual(self.claims(scene="pay")[0], "claimed")
        self.assertEqual(self.phone_row().day_jobs, 1)

    def test_attempts_redeliveries_and_a_newer_job_in_its_place_charge_no_more(self):
        self.limit(phone_per_day=2, provider_per_day=5)
        row = self.job()
        for _ in range(3):
            self.assertEqual(self.claims(row, "retry")[0], "claimed")
        newer = self.job()
        self.assertEqual(self.claims(newer)[0], "claimed")
        for seen in (row, newer, self.job(job_id=newer["job_id"])):
            self.worker.claim_one(seen)
        self.assertEqual((self.phone_row().day_jobs, self.phone_row().provider_jobs),
                         (1, [newer["job_id"]]))

    def test_what_ends_unsent_gives_the_day_nothing_back(self):
        self.limit(phone_per_day=1)
        self.assertEqual(self.claims(end="rejected")[0], "claimed")
        self.assert_limited(self.claims(), "phone", 86400)

    def test_of_several_limits_the_longest_wait_is_told(self):
        self.limit(phone_per_day=1)
        self.claims(cooldown=60)
        self.assert_limited(self.claims(cooldown=60), "phone", 86400)

    def test_a_locked_job_is_told_a_limit_that_lasts_longer_than_the_lock(self):
        budget = {"max_tries": 1, "tries_window": 30}
        self.claims(cooldown=60, **budget)
        self.verify(b"x")
        self.assert_limited(self.claims(**budget), "locked", 30)
        self.assert_limited(self.claims(cooldown=60, **budget), "locked", 60)

    def test_a_limit_that_is_off_writes_nothing(self):
        self.claims(client_ip=self.ip)
        row = self.phone_row()
        self.assertEqual((row.day_from, row.day_jobs, row.provider_day, row.provider_jobs),
                         (None, 0, None, []))
        self.assertEqual(self.address_rows(self.ip), [])



class Addresses(LimitsTest):
    def test_an_hour_and_a_day_count_over_phones_and_say_when_they_are_over(self):
        self.limit(address_per_hour=2, address_per_day=3)
        for number in range(2):
            self.assertEqual(self.claims(self.other(number, client_ip=self.ip))[0], "claimed")
        self.assert_limited(self.claims(self.other(2, client_ip=self.ip)), "address", 3600)
        self.age_address(3600)
        self.assertEqual(self.claims(self.other(3, client_ip=self.ip))[0], "claimed")
        self.assert_limited(self.claims(self.other(4, client_ip=self.ip)), "address", 82800)
        self.assertEqual(self.claims(self.other(5, client_ip="198.51.100.1"))[0], "claimed")
        self.assertEqual(self.claims(self.other(6))[0], "claimed")

    def test_a_batch_is_counted_job_by_job(self):
        self.limit(address_per_hour=3)
        rows = [self.other(n, client_ip=self.ip) for n in range(6)]
        # Not charged, so not counted: a country that is refused, a job that comes too late.
        rows[1]["refusal"] = "country"
        rows[2].update(requested_at=ago(120), deadline=ago(60))
        rows.insert(3, self.other(9, client_ip="198.51.100.2"))
        said = [(a.state, a.reason) for a in self.worker.claim(*rows)]
        self.assertEqual(said, [("claimed", None), ("limited", "country"), ("expired", "deadline"),
                                ("claimed", None), ("claimed", None), ("claimed", None),
                                ("limited", "address")])
        self.assertEqual(self.address_rows(self.ip)[0].hour_jobs, 3)

    def test_in_a_batch_each_refused_job_is_told_the_window_that_is_full(self):
        self.limit(address_per_hour=5, address_per_day=4)
        self.claims(self.other(0, client_ip=self.ip))
        self.claims(self.other(1, client_ip=self.ip))
        self.age_address(85000)
        answers = self.worker.claim(*[self.other(n, client_ip=self.ip) for n in range(2, 9)])
        self.assertEqual([a.state for a in answers], ["claimed"] * 2 + ["limited"] * 5)
        for answer in answers[2:]:
            self.assert_limited((answer.state, answer.reason, answer.retry_after), "address", 1400)

    def test_a_job_that_another_limit_refuses_is_not_counted(self):
        self.limit(address_per_hour=2, phone_per_day=1)
        self.claims()
        rows = [self.job(client_ip=self.ip), self.other(1, client_ip=self.ip),
                self.other(2, client_ip=self.ip), self.other(3, client_ip=self.ip)]
        self.assertEqual([a.reason for a in self.worker.claim(*rows)],
                         ["phone", None, None, "address"])

    def test_a_busy_phone_is_held_not_counted(self):
        self.limit(address_per_hour=1)
        self.worker.claim_one(self.job())
        answers = self.worker.claim(self.job(scene="register", client_ip=self.ip),
                                    self.other(1, client_ip=self.ip))
        self.assertEqual([a.verdict for a in answers], ["busy", "send"])

    def test_ipv6_counts_by_its_64_and_a_mapped_address_as_ipv4(self):
        self.limit(address_per_hour=1)
        prefix = f"2001:db8:0:{self.addresses}"
        for first, second, counted in ((f"{prefix}::1", f"{prefix}:ffff::2", f"{prefix}::/64"),
                                       (self.ip, f"::ffff:{self.ip}", self.ip)):
            self.assertEqual(self.claims(self.other(1, client_ip=first))[0], "claimed")
            self.assertEqual(self.claims(self.other(2, client_ip=second))[1], "address")
            self.assertEqual(self.address_rows(counted)[0].hour_jobs, 1)

    def test_a_redelivered_job_is_charged_once(self):
        self.limit(address_per_hour=2)
        row = self.other(1, client_ip=self.ip)
        self.claims(row, "retry")
        self.claims(row)
        self.worker.claim_one(row)
        self.assertEqual(self.address_rows(self.ip)[0].hour_jobs, 1)

    def test_a_newer_job_takes_the_charge_over(self):
        self.limit(address_per_hour=1)
        self.claims(self.job(client_ip=self.ip), "retry")
        self.assertEqual(self.claims(client_ip=self.ip)[0], "claimed")
        self.assertEqual(self.address_rows(self.ip)[0].hour_jobs, 1)

    def test_sweep_deletes_what_no_window_needs(self):
        self.limit(address_per_hour=1)
        self.claims(self.other(1, client_ip=self.ip))
        self.sql("select * from sendcode.sweep()")
        self.assertEqual(len(self.address_rows(self.ip)), 1)
        self.age_address(86400)
        self.sql("select * from sendcode.sweep()")
        self.assertEqual(self.address_rows(self.ip), [])


class Mirror(LimitsTest):
    def until_midnight(self):
        return 86400 - seconds_of_the_day_in_china(now())

    def test_a_natural_day_in_china_counts_over_all_scenes(self):
        if self.until_midnight() < 20:
            self.skipTest("the day is about to change in China")
        self.limit(provider_per_day=2)
        self.claims()
        self.claims(scene="register")
        self.assert_limited(self.claims(scene="pay"), "provider_limit", self.until_midnight() + 1)
        self.sql("update sendcode.phone_limit set provider_day = provider_day - 1 where phone = %s",
                 self.phone)
        self.assertEqual(self.claims(scene="pay")[0], "claimed")
        self.assertEqual(len(self.phone_row().provider_jobs), 1)

    def test_what_ends_unsent_is_given_back_and_doubt_is_not(self):
        for end, reason in (("rejected", None), ("limited", None), ("expired", None),
                            ("in_doubt", "provider_limit"), ("sent", "provider_limit")):
            with self.subTest(end=end):
                self.setUp()
                self.limit(provider_per_day=1)
                self.claims(end=end)
                self.assertEqual(self.claims(scene="register")[1], reason)

    def test_a_retry_on_the_next_day_counts_there(self):
        self.limit(provider_per_day=2)
        row = self.job()
        self.claims(row, "retry")
        self.sql("update sendcode.phone_limit set provider_day = provider_day - 1 where phone = %s",
                 self.phone)
        self.claims(row)
        self.assertEqual(self.phone_row().provider_jobs, [row["job_id"]])

    def test_the_same_code_waits_for_the_interval_and_a_new_one_does_not(self):
        self.limit(provider_interval=30)
        self.claims()
        self.age(10)
        self.assert_limited(self.claims(), "provider_limit", 20, slack=3)
        self.assertEqual(self.claims(resend_same=False)[0], "claimed")

    def test_the_interval_counts_from_the_last_message_and_ends(self):
        self.limit(provider_interval=30)
        self.claims()
        self.age(31)
        self.assertEqual(self.claims()[0], "claimed")
        self.age(20)
        self.assert_limited(self.claims(), "provider_limit", 10, slack=3)
        self.age(11)
        self.assertEqual(self.claims()[0], "claimed")

    def test_a_code_in_doubt_waits_for_the_interval_too(self):
        self.limit(provider_interval=40)
        self.claims(end="in_doubt")
        self.age(25)
        self.assert_limited(self.claims(), "provider_limit", 15, slack=3)

    def test_a_retry_waits_for_no_limit(self):
        self.limit(provider_interval=30, provider_per_day=1, phone_per_day=1)
        row = self.job()
        self.claims(row, "retry")
        self.assertEqual(self.claims(row)[0], "claimed")


class Sweeping(LimitsTest):
    def test_a_phone_goes_when_no_window_of_it_runs(self):
        for column, runs, over in (
                ("day_from", "now()", "now() - interval '24 hours'"),
                ("provider_day", "sendcode.provider_day(now())", "'2020-01-01'")):
            with self.subTest(column=column):
                self.setUp()
                self.sql(f"insert into sendcode.phone_limit (phone, {column}) values (%s, {runs})",
                         self.phone)
                for there in (1, 0):
                    self.sql("update sendcode.sweep_position set phone = ''")
                    self.sql("select * from sendcode.sweep()")
                    self.assertEqual(self.sql("select count(*) from sendcode.phone_limit"
                                              " where phone = %s", self.phone)[0][0], there)
                    self.sql(f"update sendcode.phone_limit set {column} = {over} where phone = %s",
                             self.phone)


if __name__ == "__main__":
    unittest.main()

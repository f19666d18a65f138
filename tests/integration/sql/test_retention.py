"""Retention drops whole months, and the accounts stay whole."""
import datetime
import unittest

from support import DatabaseTest, TOPIC, connect

MONTHS_BACK = 14


def month(back):
    today = datetime.datetime.now(datetime.timezone.utc).date()
    number = today.year * 12 + today.month - 1 - back
    return datetime.date(number // 12, number % 12 + 1, 1)


class Retention(DatabaseTest):
    def setUp(self):
        super().setUp()
        for table in ("partition_progress", "record_other", "delivery", "attempt", "receipt"):
            self.sql(f"delete from sendcode.{table}")
        self.sql("select sendcode.make_partitions(%s, %s)", month(MONTHS_BACK), MONTHS_BACK + 2)
        # A job, an attempt, a receipt and a duplicate record each day of more than a year.
        self.sql("""
            insert into sendcode.delivery
                (job_id, day, phone, scene, state, seq, partition, incarnation, "offset", epoch,
                 requested_at, deadline, changed_at, topic, worker)
            select 'old-' || d::date, d::date, '+8613800000001', 'login', 'sent', 2, 3, 1,
                   d::date - %s::date, 1, d, d + interval '1 minute', d, %s, 'w'
            from generate_series(%s, now() at time zone 'UTC', interval '1 day') d""",
            month(MONTHS_BACK), TOPIC, month(MONTHS_BACK))
        self.sql("""
            insert into sendcode.attempt (job_id, day, attempt, at, recorded_at, outcome, moved, worker)
            select job_id, day, 1, requested_at, requested_at, 'accepted', true, 'w'
            from sendcode.delivery""")
        self.sql("""
            insert into sendcode.receipt (received_at, source, raw)
            select requested_at, 'pull', '' from sendcode.delivery""")
        self.sql("""
            insert into sendcode.record_other (topic, partition, incarnation, "offset", at, what)
            select topic, partition, incarnation, "offset" + 10000, requested_at,
                   case when mod("offset", 3) = 0 then 'invalid' else 'duplicate' end
            from sendcode.delivery""")
        self.sql("""
            insert into sendcode.partition_progress (topic, partition, incarnation, next_offset)
            values (%s, 3, 1, 20000)""", TOPIC)

    def accounts(self):
        return self.sql("select * from sendcode.accounting")

    def months(self, table):
        return [r[0] for r in self.sql(
            "select right(c.relname, 6) from pg_inherits i join pg_class c on c.oid = i.inhrelid"
            " where i.inhparent = %s::regclass order by 1", f"sendcode.{table}")]

    def count(self, table):
        return self.sql(f"select count(*) from sendcode.{table}")[0][0]

    def retain(self, *days):
        self.worker.cursor.execute("select dropped from sendcode.retain(%s, %s, %s)", days)
        return [r[0] for r in self.worker.cursor.fetchall()]

    def test_zero_keeps_everything(self):
        before = self.months("delivery"), self.months("attempt"), self.months("receipt")
        self.assertEqual(self.retain(0, 0, 0), [])
        self.assertEqual((self.months("delivery"), self.months("attempt"), self.months("receipt")),
                         before)

    def test_whole_months_go_and_the_accounts_stay(self):
        before, jobs = self.accounts(), self.count("delivery")
        dropped = self.retain(60, 0, 0)
        kept = datetime.datetime.now(datetime.timezone.utc).date() - datetime.timedelta(days=60)
        self.assertIn(f"delivery_{month(MONTHS_BACK):%Y%m}", dropped)
        self.assertEqual(self.months("delivery")[0], f"{kept:%Y%m}")
        self.assertLess(self.count("delivery"), jobs)
        self.assertEqual(self.count("record_other"), self.count("delivery"))
        self.assertEqual(self.accounts(), before)
        self.assertEqual(self.count("attempt"), jobs)
        self.assertEqual(self.count("receipt"), jobs)
        self.assertEqual(self.retain(60, 0, 0), [])

    def test_each_has_days_of_its_own(self):
        self.retain(0, 30, 365)
        self.assertEqual(self.months("delivery")[0], f"{month(MONTHS_BACK):%Y%m}")
        self.assertGreater(self.months("attempt")[0], self.months("receipt")[0])

    def test_a_month_in_use_goes_the_next_time_and_holds_nobody_up(self):
        reader = connect(self.dbname)
        self.addCleanup(reader.close)
        reader.set_session(autocommit=False)
        oldest = f"receipt_{month(MONTHS_BACK):%Y%m}"
        with reader.cursor() as cursor:
            cursor.execute(f"select count(*) from sendcode.{oldest}")
        self.assertNotIn(oldest, self.retain(0, 0, 300))
        reader.rollback()
        self.assertIn(oldest, self.retain(0, 0, 300))

    def test_no_role_but_the_workers_may(self):
        for role in ("receiver", "verifier", "auditor", "investigator"):
            self.assertEqual(self.sql(
                "select has_function_privilege(%s, 'sendcode.retain(int,int,int)', 'execute')",
                f"sendcode_{role}")[0][0], False)


if __name__ == "__main__":
    unittest.main()

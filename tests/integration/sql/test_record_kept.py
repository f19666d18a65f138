"""What becomes of the record: old months go and the accounts stay, also of a year; a phone erased."""
import datetime
import threading
import time
import unittest

import psycopg2

from support import DatabaseTest, TOPIC, ago, connect, now

# A year of months, each with jobs of two partitions, other records, gaps, attempts and receipts.
FILL = """
select sendcode.make_partitions((now() - interval '12 months')::date, 12);
insert into sendcode.delivery (job_id, day, phone, scene, state, seq, partition, incarnation,
    "offset", epoch, requested_at, deadline, changed_at, topic, worker)
select 'old-' || m || '-' || i, d.at, '+8613900000000', 'old', 'sent', 2, 8 + i %% 2, 1,
       (12 - m) * 100 + i, 1, d.at, d.at, d.at, %(topic)s, 'w'
from generate_series(1, 12) m, generate_series(1, 10) i
cross join lateral (select date_trunc('month', now() at time zone 'UTC')
                           - m * interval '1 month' + interval '12 days' as at) d;
insert into sendcode.attempt (job_id, day, attempt, at, recorded_at, outcome, moved, worker)
select job_id, day, 1, day, day, 'accepted', true, 'w' from sendcode.delivery where scene = 'old';
insert into sendcode.receipt (received_at, source, raw) select day, 'pull', ''
from sendcode.delivery where scene = 'old';
insert into sendcode.record_other (topic, partition, incarnation, "offset", at, what)
select topic, partition, 1, "offset" + 50, day,
       case when mod("offset", 3) = 0 then 'invalid' else 'duplicate' end from sendcode.delivery
where scene = 'old';
-- Two runs that overlap in each month, and one over all.
insert into sendcode.offset_gap (topic, partition, incarnation, from_offset, to_offset)
select %(topic)s, 8, 1, m * 100 + 20 + i, m * 100 + 30 + i
from generate_series(0, 11) m, generate_series(0, 5, 5) i
union all select %(topic)s, 8, 1, 75, 1175;
insert into sendcode.partition_progress (topic, partition, incarnation, next_offset)
values (%(topic)s, 8, 1, 1300), (%(topic)s, 9, 1, 1300);
insert into sendcode.wrong_try (phone, scene, at)
select phone, scene, requested_at from sendcode.delivery where scene = 'old'
"""


class Retention(DatabaseTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.admin.cursor() as cursor:
            cursor.execute(FILL, {"topic": TOPIC})

    def months(self, parent):
        return self.sql("select count(*) from pg_inherits where inhparent = %s::regclass",
                        "sendcode." + parent)[0][0]

    def count(self, table):
        return self.sql(f"select count(*) from sendcode.{table}")[0][0]

    def retain(self, *days):
        """Until nothing is left to drop; a call drops tables of one kind."""
        dropped = set()
        while True:
            now_dropped = {r.dropped for r in self.sql("select * from sendcode.retain(%s, %s, %s)",
                                                       *days)}
            self.assertLessEqual(len({d.split("_")[0] for d in now_dropped}), 1)
            if not now_dropped:
                return dropped
            dropped |= now_dropped

    def accounts(self):
        return self.sql("select * from sendcode.accounting order by topic, partition")

    def gone(self, kept_days):
        """The months that ended so many days ago or longer, by the calendar."""
        today = now().date()
        months, first = set(), today.replace(day=1)
        for _ in range(14):
            ends = first
            first = (first - datetime.timedelta(days=1)).replace(day=1)
            if ends <= today - datetime.timedelta(days=kept_days):
                months.add(first.strftime("%Y%m"))
        return months

    def test_months_go_step_by_step_and_no_account_changes(self):
        before = self.accounts()
        self.assertEqual(len(before), 2)
        self.assertEqual((before[0].jobs, before[0].duplicates, before[0].invalid), (60, 40, 20))
        self.assertEqual(self.retain(0, 0, 0), set())
        for days in (200, 100, 7):
            there = {r[0] for r in self.sql(
                "select right(inhrelid::regclass::text, 6) from pg_inherits"
                " where inhparent = 'sendcode.delivery'::regclass")}
            self.assertEqual(self.retain(days, 0, 0),
                             {f"delivery_{m}" for m in self.gone(days) & there})
            self.assertEqual(self.accounts(), before, days)
        self.assertLess(self.count("record_other"), 20)
        self.assertLess(self.count("wrong_try"), 20)
        self.assertEqual((self.count("attempt"), self.count("receipt")), (120, 120))
        dropped = self.retain(0, 30, 60)
        self.assertEqual({d for d in dropped if d.startswith("attempt")},
                         {f"attempt_{m}" for m in self.gone(30)} & dropped)
        self.assertGreater(len(dropped), 20)
        self.assertEqual(self.months("receipt") - self.months("attempt"),
                         len(self.gone(30)) - len(self.gone(60)))
        self.assertEqual(self.retain(7, 30, 60), set())
        row = self.job()
        self.worker.send(row)
        self.assertEqual(self.delivery(row).state, "sent")
        self.assertEqual([a for a in self.accounts() if a.partition in (8, 9)], before)

    def test_a_table_that_is_read_is_left_for_another_time_and_holds_up_nobody(self):
        self.sql("select sendcode.make_partitions('2011-01-15', 1)")
        reader = connect(self.dbname)
        self.addCleanup(reader.close)
        reader.set_session(autocommit=False)
        reader.cursor().execute("select (select count(*) from sendcode.delivery),"
                                " (select count(*) from sendcode.receipt_201101)")
        self.assertEqual(self.retain(4000, 4000, 4000), {"attempt_201101"})
        reader.rollback()
        self.assertEqual(self.retain(4000, 4000, 4000), {"delivery_201101", "receipt_201101"})

    def test_days_that_nobody_can_mean_are_refused(self):
        for days in ((6, 0, 0), (0, -1, 0), (0, 0, 36501), (None, 0, 0)):
            with self.assertRaises(psycopg2.errors.InvalidParameterValue):
                self.retain(*days)


class Counting(DatabaseTest):
    def test_a_month_is_counted_a_day_a_call_if_need_be_and_kept_until_then(self):
        days = [datetime.date(2012, 2, n) for n in (1, 10, 29)]
        self.sql("select sendcode.make_partitions('2012-02-15', 1)")
        self.sql("insert into sendcode.delivery (job_id, day, phone, scene, state, seq, partition,"
                 " incarnation, \"offset\", epoch, requested_at, deadline, changed_at, topic, worker)"
                 " select 'feb-' || d, d, '+8613900000000', 'old', 'sent', 2, 10, 1,"
                 " extract(day from d), 1, d, d, d, %s, 'w' from unnest(%s) d", TOPIC, days)
        self.sql("insert into sendcode.partition_progress (topic, partition, incarnation, next_offset)"
                 " values (%s, 10, 1, 40)", TOPIC)
        before = self.sql("select * from sendcode.accounting")
        self.assertEqual([a.jobs for a in before], [3])
        self.sql("set search_path = sendcode")  # as retain, which calls these, has it
        for counted in range(1, 29):
            self.sql("select count_months(4000, now() - interval '1 s')")
            self.assertEqual([tuple(r) for r in self.sql(
                "select ends - counted_to, cardinality(jobs) from counted_month")],
                [(29 - counted, sum(d.day <= counted for d in days))])
            self.assertEqual(self.sql("select * from drop_deliveries(4000)"), [])
        self.assertEqual(self.sql("select * from retain(4000, 0, 0)"), [("delivery_201202",)])
        self.assertEqual(self.sql("select * from accounting"), before)
        self.assertEqual(self.sql("select * from counted_month"), [])


class Erasure(DatabaseTest):
    def erase(self):
        return {r.place: r.rows for r in self.sql("select * from sendcode.erase(%s)", self.phone)}

    def everywhere(self, text):
        """The tables in which a row has the text, in any column."""
        tables = self.sql("select relname from pg_class where relkind = 'r'"
                          " and relnamespace = 'sendcode'::regnamespace")
        return {t.relname for t in tables if self.sql(
            f"select 1 from sendcode.{t.relname} t where t::text like %s or exists ("
            "  select from jsonb_each_text(to_jsonb(t)) where value like %s) limit 1",
            f"%{text}%", "%" + text.encode().hex() + "%")}

    def test_a_phone_is_nowhere_afterwards_and_every_count_stays(self):
        row = self.job(client_ip="192.0.2.77", traceparent="00-trace")
        self.worker.send(row)
        self.verify(b"wrong")
        local = self.phone[3:]
        element = '{"mobile":"%s"}' % local
        insert = ("insert into sendcode.receipt (source, serial_no, phone, status, code, raw,"
                  " fault) values ('callback', %s, %s, 'SUCCESS', 'DELIVRD', %s, %s)")
        serial_no = self.delivery(row).serial_no
        self.sql(insert, serial_no, self.phone, element.encode(), None)
        self.sql("select * from sendcode.join_receipts(10)")
        self.sql(insert, "nobodys", local, element.encode(), None)
        self.sql(insert, None, None, b"[" + element.encode(), "malformed")
        self.sql(insert, None, None, f"tel {local[:3]} {local[3:7]}-{local[7:]}".encode(), "malformed")
        self.sql(insert, None, None, b"another", "malformed")
        self.sql("insert into sendcode.parked (job_id, day, kind, phone, scene, due_at, deadline,"
                 " not_after, parked_at) select job_id, day, 'unknown', phone, scene, deadline,"
                 " deadline, deadline, deadline from sendcode.delivery where job_id = %s",
                 row["job_id"])
        self.sql("update sendcode.sweep_position set phone = %s", self.phone)
        self.sql("delete from sendcode.outbox")
        before = [self.sql(f"select * from sendcode.{v} order by 1, 2")
                  for v in ("accounting", "daily", "attempts")]
        self.assertIn("challenge", self.everywhere(self.phone))
        done = self.erase()
        self.assertEqual(done, {
            "deliveries (phone, client_ip, trace)": 1, "receipts (phone, description, raw)": 4,
            "challenges": 1, "wrong tries": 1, "parked jobs": 1, "phone limits": 1})
        self.assertEqual(self.everywhere(local), set())
        self.assertEqual(self.everywhere(local[3:7] + "-"), set())
        self.assertEqual(self.everywhere("192.0.2.77"), set())
        self.assertEqual(before, [self.sql(f"select * from sendcode.{v} order by 1, 2")
                                  for v in ("accounting", "daily", "attempts")])
        alias = self.delivery(row).phone
        self.assertRegex(alias, r"^\+86~[a-p]{12}$")
        self.assertEqual({r.what for r in self.sql("select * from sendcode.timeline(%s)", alias)},
                         {"requested", "claimed", "attempt", "sent", "receipt",
                          "delivered"})
        self.assertEqual(self.sql("select count(*) from sendcode.receipt where raw = 'another'")
                         [0][0], 1)
        self.assertEqual(set(self.erase().values()), {0})
        # Its record still in Kafka, read again, is known; and no receipt is looked at for ever.
        self.assertEqual(self.worker.claim_one(row).verdict, "known")
        self.sql("select * from sendcode.join_receipts(10)")
        self.assertEqual(self.sql("select count(*) from sendcode.receipt where ask_at is not null"
                                  " and raw <> 'another'")[0][0], 0)

    def test_a_phone_with_a_job_under_way_is_left_whole(self):
        row = self.job()
        answer = self.worker.claim_one(row)
        with self.assertRaisesRegex(psycopg2.errors.ObjectInUse, row["job_id"]):
            self.erase()
        self.assertEqual(self.challenge().next_job_id, row["job_id"])
        self.worker.record_one(row, answer, "rejected", reason="number")
        self.assertEqual(self.erase()["deliveries (phone, client_ip, trace)"], 1)

    def test_two_erasures_of_a_phone_at_once_end_one_after_the_other(self):
        """Though a receipt comes while the first one waits for the phone."""
        holder = connect(self.dbname)
        holder.set_session(autocommit=False)
        self.sql("insert into sendcode.phone_limit (phone) values (%s)", self.phone)
        holder.cursor().execute("select from sendcode.phone_limit where phone = %s for update",
                                (self.phone,))
        ended = []
        erasing = [threading.Thread(target=self.erase_apart, args=(ended,)) for _ in range(2)]
        for n, thread in enumerate(erasing, 1):
            thread.start()
            self.wait_for_waiting(n)
            self.sql("insert into sendcode.receipt (source, phone, serial_no, status, raw)"
                     " values ('callback', %s, 'S1', 'SUCCESS', '{}')", self.phone)
        holder.commit()
        for thread in erasing:
            thread.join()
        holder.close()
        self.assertEqual(ended, ["erased"] * 2)
        self.assertEqual(self.everywhere(self.phone[3:]), set())

    def test_nothing_is_joined_while_an_erasure_holds_earlier_receipts(self):
        _, told = self.worker.send(self.job())
        store = ("insert into sendcode.receipt (source, phone, serial_no, status, raw)"
                 " values ('callback', %s, %s, %s, '{}')")
        self.sql(store, self.phone, told.serial_no, "FAIL")
        holder = connect(self.dbname)
        holder.set_session(autocommit=False)
        holder.cursor().execute("select from sendcode.receipt where serial_no = %s for update",
                                (told.serial_no,))
        ended = []
        erasing = threading.Thread(target=self.erase_apart, args=(ended,))
        erasing.start()
        self.wait_for_waiting(1)
        self.sql(store, self.phone, told.serial_no, "SUCCESS")
        self.assertEqual(self.sql("select joined from sendcode.join_receipts(10)")[0].joined, 0)
        holder.commit()
        erasing.join()
        holder.close()
        self.assertEqual(ended, ["erased"])

    def erase_apart(self, ended):
        connection = connect(self.dbname)
        try:
            connection.cursor().execute("select * from sendcode.erase(%s)", (self.phone,))
            ended.append("erased")
        except psycopg2.Error as fault:
            ended.append(str(fault))
        connection.close()

    def wait_for_waiting(self, n):
        while self.sql("select count(*) from pg_stat_activity where datname = current_database()"
                       " and wait_event_type = 'Lock' and query like '%%erase%%'")[0].count < n:
            time.sleep(0.01)

    def test_what_is_no_phone_is_refused(self):
        for phone in (None, "", "13800138000", "+0123456789", "+86~abcdefghijkl"):
            with self.assertRaises(psycopg2.errors.InvalidParameterValue):
                self.sql("select * from sendcode.erase(%s)", phone)


if __name__ == "__main__":
    unittest.main()

"""Receipts join the jobs that they are about, and move them once."""
import datetime
import unittest

import psycopg2

from receiving import ReceivingTest, receipt
from support import Worker, ago, connect


class Known(ReceivingTest):
    def test_it_delivers_the_job_that_has_the_serial_no(self):
        row, serial = self.sent()
        self.receive(receipt(serial, self.phone))
        self.assertEqual(self.join(), (1, 0, 0, 0))
        told = self.delivery(row)
        self.assertEqual((told.state, told.reason, told.receipt_code, told.seq),
                         ("delivered", None, "DELIVRD", 3))
        kept = self.receipts()[0]
        self.assertEqual((told.receipt_at, kept.match, kept.job_id, kept.day, kept.ask_at),
                         (kept.user_received_at, "joined", row["job_id"], told.day, None))
        self.assertEqual(self.outbox(), [row["job_id"]])
        event = self.sql("select * from sendcode.outbox_take(5)")[0]
        self.assertEqual((event.state, event.seq, event.serial_no), ("delivered", 3, serial))

    def test_a_carriers_refusal_takes_no_code_away_and_gives_nothing_back(self):
        row = self.job(cooldown=60)
        answer, told = self.worker.send(row)
        self.receive(receipt(told.serial_no, self.phone, "FAIL", "MK:0001"))
        self.assertEqual(self.join(), (1, 0, 0, 0))
        stored = self.delivery(row)
        self.assertEqual((stored.state, stored.reason, stored.receipt_code),
                         ("undelivered", "carrier", "MK:0001"))
        self.assertEqual(self.worker.claim_one(self.job(cooldown=60)).state, "limited")
        self.assertEqual(self.verify(answer.nonce).verdict, "ok")

    def test_the_first_one_stands_and_all_are_kept(self):
        row, serial = self.sent()
        self.receive(receipt(serial, self.phone, "FAIL"), receipt(serial, self.phone, "FAIL"),
                     receipt(serial, self.phone))
        self.assertEqual(self.join(), (1, 2, 0, 0))
        self.receive(receipt(serial, self.phone))
        self.assertEqual(self.join(), (0, 1, 0, 0))
        self.assertEqual((self.state(row), self.delivery(row).seq), ("undelivered", 3))
        self.assertEqual(self.matches(), ["joined", "repeat", "repeat", "repeat"])
        self.assertEqual({r.job_id for r in self.receipts()}, {row["job_id"]})
        self.assertEqual(self.outbox(), [row["job_id"]])

    def test_one_that_comes_before_our_own_record_waits_for_it(self):
        row = self.job()
        answer = self.worker.claim_one(row)
        self.receive(receipt("S1", self.phone))
        self.assertEqual(self.look(8), (0, 0, 0, 1))
        self.assertEqual((self.state(row), self.matches()), ("claimed", [None]))
        self.worker.record_one(row, answer, "sent", serial_no="S1")
        self.assertEqual(self.look(), (1, 0, 0, 0))
        self.assertEqual((self.state(row), self.delivery(row).accepted_attempt), ("delivered", 1))

    def test_of_two_the_one_that_came_first_stands_though_it_waited(self):
        row = self.job()
        answer = self.worker.claim_one(row)
        self.receive(receipt("S1", self.phone, "FAIL"))
        self.assertEqual(self.look(4), (0, 0, 0, 1))
        self.worker.record_one(row, answer, "sent", serial_no="S1")
        self.receive(receipt("S1", self.phone))
        self.assertEqual(self.join(), (1, 1, 0, 0))
        self.assertEqual((self.state(row), self.matches()), ("undelivered", ["joined", "repeat"]))

    def test_another_ones_coming_makes_no_look_of_one_that_waits(self):
        self.worker.claim_one(self.job())
        self.receive(receipt("S1", self.phone))
        self.look(4)
        before = self.receipts()[0]
        self.receive(receipt("S2", self.phone))
        self.assertEqual(self.join(), (0, 0, 0, 2))
        self.assertEqual(self.receipts()[0], before)

    def test_while_it_waits_it_is_looked_at_every_few_seconds(self):
        self.worker.claim_one(self.job())
        self.receive(receipt("S1", self.phone))
        waits = []
        for _ in range(6):
            self.look()
            kept = self.receipts()[0]
            waits.append(round((kept.ask_at - kept.looked_at).total_seconds()))
        self.assertEqual(waits, [1, 2, 4, 5, 5, 5])

    def test_phones_are_known_in_other_forms(self):
        bare = self.phone[3:]
        forms = f"86{bare}", f"0086{bare}", bare, f"+86 {bare[:3]}-{bare[3:]}"
        for n, form in enumerate(forms):
            with self.subTest(form=form):
                row, serial = self.sent(job_id=f"form-{n}")
                self.receive(receipt(serial + form, self.phone), receipt(serial, form))
                self.look()
                self.assertEqual((self.state(row), self.receipts()[-1].phone),
                                 ("delivered", self.phone))

    def test_of_two_messages_of_one_job_each_receipt_is_the_jobs(self):
        row, _ = self.sent()
        self.worker.take([0])
        answer = self.sql("select * from sendcode.delivery where job_id = %s", row["job_id"])[0]
        twice = dict(self.worker.result(row, ClaimOf(answer, 2), "sent"), serial_no="S-second")
        self.assertTrue(self.worker.record(twice)[0].duplicate_send)
        self.receive(receipt("S-second", self.phone), receipt(answer.serial_no, self.phone))
        self.assertEqual(self.join(), (1, 1, 0, 0))
        self.assertEqual({r.job_id for r in self.receipts()}, {row["job_id"]})
        self.assertEqual(self.delivery(row).serial_no, answer.serial_no)

    def test_it_is_told_in_the_timeline_and_the_view(self):
        row, serial = self.sent()
        self.receive(receipt(serial, self.phone))
        self.join()
        told = {r.what: r.detail
                for r in self.sql("select * from sendcode.timeline(%s)", row["job_id"])}
        self.assertRegex(told["receipt"], "^SUCCESS, DELIVRD: the phone has it, .*, by callback$")
        self.assertIn("delivered", told)
        shown = self.sql("select * from sendcode.receipts where job_id = %s", row["job_id"])[0]
        self.assertEqual((shown.serial_no, shown.phone, shown.match),
                         (serial, self.phone, "joined"))


    def test_a_carriers_clock_that_is_behind_makes_no_latency_negative(self):
        row, serial = self.sent(scene="clock")
        self.receive(receipt(serial, self.phone, at=ago(7200)))
        self.join()
        self.assertEqual(self.state(row), "delivered")
        told = self.sql("select * from sendcode.latency where scene = 'clock'")[0]
        self.assertEqual((told.delivered, told.carrying_p50_s, told.carrying_p99_s), (1, 0, 0))


class ClaimOf:
    """What a claim answered, for another attempt of the job."""

    def __init__(self, delivery, attempt):
        self.day, self.attempt, self.proof = delivery.day, attempt, None


class Orphans(ReceivingTest):
    def test_after_some_looks_it_is_one_and_takes_no_row_of_a_phone(self):
        self.receive(receipt("S1", "+8613911111111"))
        self.assertEqual([self.look() for _ in range(6)],
                         [(0, 0, 0, 1)] * 4 + [(0, 0, 1, 0), (0, 0, 0, 0)])
        self.assertEqual(self.matches(), ["orphan"])
        self.assertEqual(self.sql("select 1 from sendcode.phone_limit"
                                  " where phone = '+8613911111111'"), [])

    def test_a_serial_no_that_nothing_explains_moves_no_job(self):
        row, _ = self.sent()
        refused = self.job(scene="other")
        self.worker.send(refused, "rejected", reason="number")
        self.receive(receipt("S-foreign", self.phone))
        self.look(5)
        self.assertEqual((self.matches(), self.state(row), self.state(refused)),
                         (["orphan"], "sent", "rejected"))

    def test_a_fact_that_comes_late_still_finds_it(self):
        row = self.job()
        answer, _ = self.worker.send(row, "rejected", reason="number")
        self.receive(receipt("S1", self.phone))
        self.look(7)
        self.assertEqual(self.matches(), ["orphan"])
        self.worker.record_one(row, answer, "sent", serial_no="S1")
        self.assertEqual(self.look(), (1, 0, 0, 0))
        self.assertEqual((self.matches(), self.state(row)), (["joined"], "delivered"))

    def test_it_is_looked_at_more_and_more_seldom_and_no_longer_than_three_days(self):
        self.receive(receipt("S1", self.phone))
        waits = []
        for _ in range(12):
            self.look()
            kept = self.receipts()[0]
            waits.append(round((kept.ask_at - kept.looked_at).total_seconds()))
        self.assertEqual(waits, [5, 15, 45, 135, 405, 1215, 3645, 10935] + [21600] * 4)
        self.sql("update sendcode.receipt set received_at = received_at - interval '73 hours'")
        self.look()
        self.assertEqual((self.receipts()[0].ask_at, self.matches()), (None, ["orphan"]))

    def test_thousands_keep_no_good_one_waiting(self):
        row, serial = self.sent()
        storm = [receipt(f"S{n}", f"+86137{n:08d}") for n in range(3000)]
        self.receive(*storm[:1500])
        self.look()
        self.sql("update sendcode.receipt set match = 'orphan', ask_at = now() - interval '1 h'")
        self.receive(*storm[1500:1600], receipt(serial, self.phone), *storm[1600:])
        for _ in range(2):
            self.join(limit=100)
        self.assertEqual(self.state(row), "delivered")

    def test_a_phone_with_many_jobs_makes_no_look_long(self):
        """A number that probes are sent to, say: of what is decided, no attempt is read."""
        row, serial = self.sent()
        for table in ("delivery", "attempt"):
            self.sql(f"insert into sendcode.{table} select (jsonb_populate_record(o,"
                     " jsonb_build_object('job_id', 'many-' || n, 'serial_no', 'S-many-' || n))).*"
                     f" from sendcode.{table} o, generate_series(1, 300) n where o.job_id = %s",
                     row["job_id"])
        self.receive(*[receipt(f"S{n}", self.phone) for n in range(20)],
                     receipt(serial, self.phone))
        self.worker.connection.set_session(autocommit=False)
        cursor = self.worker.connection.cursor()
        self.assertEqual(self.join(cursor=cursor), (1, 0, 0, 20))
        cursor.execute("select coalesce(sum(idx_scan + seq_scan), 0)::int as scans"
                       " from pg_stat_xact_user_tables where relname ~ '^attempt'")
        self.assertLess(cursor.fetchone().scans, 300)
        self.worker.connection.rollback()

    def test_what_can_be_understood_by_nobody_is_set_aside_with_the_reason(self):
        row, serial = self.sent()
        self.receive(receipt(None, self.phone), receipt(serial, "12"), receipt(serial, None),
                     receipt(serial, self.phone, "MAYBE"), receipt("", self.phone),
                     receipt(serial, self.phone, fault="it is no object"))
        self.assertEqual(self.join(), (0, 0, 0, 0))
        self.assertEqual([r.fault for r in self.receipts()],
                         ["no SerialNo", "no phone number", "no phone number",
                          "a status that is neither SUCCESS nor FAIL", "no SerialNo",
                          "it is no object"])
        self.assertEqual((self.state(row), self.look()), ("sent", (0, 0, 0, 0)))


class Together(ReceivingTest):
    def other(self):
        connection = connect(self.dbname)
        connection.set_session(autocommit=False)
        self.addCleanup(connection.close)
        cursor = connection.cursor()
        cursor.execute("set lock_timeout = '2s'")
        return connection, cursor

    def test_a_phone_that_another_holds_is_passed_by(self):
        row, serial = self.sent()
        second, other_serial = self.sent(phone="+8613700000001")
        connection, cursor = self.other()
        cursor.execute("select from sendcode.phone_limit where phone = %s for update",
                       (self.phone,))
        self.receive(receipt(serial, self.phone), receipt(other_serial, second["phone"]))
        self.assertEqual(self.join(), (1, 0, 0, 1))
        connection.rollback()
        self.assertEqual(self.join(), (1, 0, 0, 0))
        self.assertEqual((self.state(row), self.state(second)), ("delivered", "delivered"))

    def test_one_worker_joins_at_a_time_so_that_the_first_receipt_stands(self):
        row, serial = self.sent()
        self.receive(receipt(serial, self.phone), receipt(serial, self.phone, "FAIL"))
        connection, cursor = self.other()
        self.assertEqual(self.join(1, cursor)[0], 1)  # the first, not committed yet
        self.assertEqual(self.join(10), (0, 0, 0, 2))
        connection.commit()
        self.assertEqual(self.join(10), (0, 1, 0, 0))
        self.assertEqual(self.state(row), "delivered")

    def test_a_phone_without_a_row_gets_one(self):
        row, serial = self.sent()
        self.sql("delete from sendcode.phone_limit where phone = %s", self.phone)
        self.receive(receipt(serial, self.phone))
        self.assertEqual((self.join(), self.state(row)), ((1, 0, 0, 0), "delivered"))

    def test_one_call_settles_and_moves_several_jobs_of_a_phone(self):
        sent, serial = self.sent()
        doubt, answer = self.doubt(age=1, scene="other")
        self.receive(receipt(serial, self.phone), receipt("S1", self.phone, "FAIL"),
                     receipt("S1", self.phone))
        self.assertEqual(self.join(), (2, 1, 0, 0))
        self.assertEqual((self.state(sent), self.state(doubt)), ("delivered", "undelivered"))
        self.assertEqual(sorted(self.outbox()), sorted(r["job_id"] for r in (sent, doubt)))
        self.assertEqual(self.verify(answer.nonce, "other").verdict, "ok")

    def test_a_verifier_waits_until_the_doubt_is_settled(self):
        row, answer = self.doubt(age=1)
        connection, cursor = self.other()
        self.receive(receipt("S1", self.phone))
        self.join(cursor=cursor)
        with self.assertRaises(psycopg2.errors.LockNotAvailable):
            self.sql("set lock_timeout = '50ms'")
            self.verify(answer.nonce)
        self.sql("reset lock_timeout")
        connection.commit()
        self.assertEqual((self.verify(answer.nonce).verdict, self.state(row)), ("ok", "delivered"))

    def test_the_worker_needs_its_role_alone(self):
        row, serial = self.sent()
        self.receive(receipt(serial, self.phone))
        worker = Worker(self.dbname)
        self.addCleanup(worker.connection.close)
        worker.cursor.execute("set role sendcode_worker")
        self.assertEqual(self.join(10, worker.cursor), (1, 0, 0, 0))
        self.assertEqual(self.state(row), "delivered")

    def test_months_are_there_before_the_first_receipt_and_before_any_worker(self):
        today = datetime.datetime.now(datetime.timezone.utc).date()
        months = {r.relname for r in self.sql(
            "select relname from pg_class where relname ~ '^receipt_[0-9]+$'")}
        for ahead in range(3):
            month = (today.year * 12 + today.month - 1 + ahead)
            self.assertIn(f"receipt_{month // 12:04d}{month % 12 + 1:02d}", months)


if __name__ == "__main__":
    unittest.main()

"""sendcode.sweep and the outbox."""
import unittest

from support import DatabaseTest, ago, connect


class Sweep(DatabaseTest):
    def sweep(self):
        return self.sql("select * from sendcode.sweep()")[0].in_doubt

    def test_codes_are_erased_at_the_end_of_grace_and_their_times_stay(self):
        self.worker.send(self.job())
        self.worker.claim_one(self.job(resend_same=False))
        self.age(329)
        self.sweep()
        self.assertIsNotNone(self.challenge().live_nonce)
        self.age(2)
        self.sweep()
        challenge = self.challenge()
        for place in ("live", "next"):
            for name in ("nonce", "proof", "key_id"):
                self.assertIsNone(getattr(challenge, f"{place}_{name}"))
            self.assertIsNotNone(getattr(challenge, f"{place}_end"))

    def test_of_two_codes_the_living_one_is_kept(self):
        self.worker.send(self.job())
        self.age(200)
        answer = self.worker.claim_one(self.job())
        self.age(131)
        self.sweep()
        self.assertIsNone(self.challenge().live_nonce)
        self.assertEqual(bytes(self.challenge().next_nonce), bytes(answer.nonce))
        self.age(200)
        self.sweep()
        self.assertIsNone(self.challenge().next_nonce)

    def test_rows_go_a_day_after_the_last_grace_when_windows_are_over(self):
        self.worker.send(self.job())
        self.age(331)
        self.sweep()
        self.age(86400 - 2)
        self.sweep()
        self.assertEqual(len(self.sql("select 1 from sendcode.challenge where phone = %s",
                                      self.phone)), 1)
        self.age(3)
        self.sweep()
        for table in ("challenge", "phone_limit"):
            self.assertEqual(self.sql(f"select 1 from sendcode.{table} where phone = %s",
                                      self.phone), [], table)

    def test_a_job_under_way_keeps_its_row(self):
        for state in ("claimed", "retry"):
            with self.subTest(state=state):
                self.setUp()
                row = self.job()
                answer = self.worker.claim_one(row)
                if state == "retry":
                    self.worker.record_one(row, answer, "retry")
                self.age(86400 + 400)
                self.sweep()
                self.assertEqual(self.challenge().next_job_id, row["job_id"])

    def test_phones_without_a_challenge_go(self):
        self.worker.claim_one(self.job(requested_at=ago(500)))
        self.assertEqual(len(self.sql("select 1 from sendcode.phone_limit where phone = %s",
                                      self.phone)), 1)
        self.sweep()
        self.sweep()
        self.assertEqual(self.sql("select 1 from sendcode.phone_limit where phone = %s",
                                  self.phone), [])

    def test_doubt_past_its_deadline_becomes_unknown_and_is_announced(self):
        row = self.job()
        answer, _ = self.worker.send(row, "in_doubt")
        self.assertGreaterEqual(self.sweep(), 1)
        self.assertEqual(self.delivery(row).state, "in_doubt")
        self.age(61)
        self.assertEqual(self.sweep(), self.sweep())
        stored = self.delivery(row)
        self.assertEqual((stored.state, stored.reason, stored.seq), ("unknown", "deadline", 3))
        self.assertEqual(self.sql("select kind from sendcode.parked where job_id = %s",
                                  row["job_id"])[0].kind, "unknown")
        self.assertIn(row["job_id"], [r.job_id for r in self.sql("select * from sendcode.outbox")])
        self.assertEqual(self.verify(answer.nonce).job_id, row["job_id"])
        self.age(72 * 3600 + 1)
        self.sweep()
        self.assertEqual(self.sql("select 1 from sendcode.parked where job_id = %s",
                                  row["job_id"]), [])

    def test_what_others_hold_is_passed_by(self):
        row = self.job()
        self.worker.send(row, "in_doubt")
        self.age(61)
        with connect(self.dbname) as holder:
            holder.set_session(autocommit=False)
            with holder.cursor() as cursor:
                cursor.execute("select * from sendcode.phone_limit where phone = %s for update",
                               (self.phone,))
                self.sweep()
                self.assertEqual(self.delivery(row).state, "in_doubt")
        holder.close()
        self.sweep()
        self.assertEqual(self.delivery(row).state, "unknown")

    def test_months_are_made_ahead(self):
        self.sweep()
        ahead = self.sql("select to_regclass('sendcode.delivery_' ||"
                         " to_char((now() at time zone 'UTC') + interval '1 month', 'YYYYMM'))")
        self.assertIsNotNone(ahead[0][0])


class Outbox(DatabaseTest):
    def setUp(self):
        super().setUp()
        self.row = self.job(traceparent="00-aa-bb-01")
        self.worker.send(self.row, "in_doubt")
        self.sql("delete from sendcode.outbox")
        self.age(61)
        self.sql("select sendcode.sweep()")

    def take(self):
        return self.sql("select * from sendcode.outbox_take(10)")

    def test_a_row_has_the_job_as_it_is_now_and_is_taken_once(self):
        taken = self.take()
        self.assertEqual([(r.job_id, r.state, r.seq, r.phone, r.traceparent) for r in taken],
                         [(self.row["job_id"], "unknown", 3, self.phone, "00-aa-bb-01")])
        self.assertEqual(self.take(), [])

    def test_a_row_of_a_dead_worker_is_taken_again_and_an_acked_one_never(self):
        first = self.take()
        self.sql("update sendcode.outbox set taken_at = taken_at - interval '11 s'")
        second = self.take()
        self.assertEqual([r.id for r in second], [r.id for r in first])
        self.sql("select sendcode.outbox_done(%s)", [r.id for r in second])
        self.sql("update sendcode.outbox set taken_at = taken_at - interval '11 s'")
        self.assertEqual(self.take(), [])

    def test_two_workers_share_the_rows(self):
        holder = connect(self.dbname)
        holder.set_session(autocommit=False)
        with holder.cursor() as cursor:
            cursor.execute("select * from sendcode.outbox_take(10)")
            self.assertEqual(len(cursor.fetchall()), 1)
            self.assertEqual(self.take(), [])
        holder.rollback()
        holder.close()
        self.assertEqual(len(self.take()), 1)


if __name__ == "__main__":
    unittest.main()

"""sendcode.record: facts and decisions, fences, repeats, what they leave behind."""
import datetime
import unittest

from support import DatabaseTest, Worker


class Outcomes(DatabaseTest):
    def test_accepted_makes_sent_with_its_evidence(self):
        row = self.job(traceparent="00-aa-bb-01")
        _, answer = self.worker.send(row, age_ms=500, duration_ms=200)
        self.assertEqual((answer.applied, answer.duplicate_send), (True, False))
        self.assertEqual((answer.state, answer.seq, answer.attempt, answer.provider_code),
                         ("sent", 2, 1, "Ok"))
        self.assertEqual(answer.traceparent, "00-aa-bb-01")
        stored = self.delivery(row)
        self.assertEqual(stored.changed_at - stored.accepted_at,
                         datetime.timedelta(milliseconds=300))
        attempt = self.sql("select * from sendcode.attempt where job_id = %s", row["job_id"])[0]
        self.assertEqual((attempt.outcome, attempt.serial_no, attempt.fee, attempt.http_status),
                         ("accepted", answer.serial_no, 1, 200))
        self.assertEqual(attempt.recorded_at - attempt.at, datetime.timedelta(milliseconds=500))

    def test_each_decision_moves_the_job(self):
        for state, reason in (("retry", "configuration"), ("rejected", "number"),
                              ("limited", "provider_limit"), ("expired", "deadline"),
                              ("in_doubt", None)):
            with self.subTest(state=state):
                self.setUp()
                row = self.job()
                _, answer = self.worker.send(row, state, reason=reason, provider_code="X.Y",
                                             retry_after=30 if state == "limited" else None)
                self.assertEqual((answer.applied, answer.state, answer.reason, answer.seq),
                                 (True, state, reason, 2))
                self.assertEqual(answer.retry_after, 30 if state == "limited" else None)
                self.assertEqual(self.delivery(row).provider_code, "X.Y")
                busy = self.worker.claim_one(self.job(scene="register")).verdict == "busy"
                self.assertEqual(busy, state == "in_doubt")
                parked = self.sql("select * from sendcode.parked where job_id = %s", row["job_id"])
                self.assertEqual(len(parked), state == "in_doubt")

    def test_a_retry_past_the_deadline_expires(self):
        row = self.job()
        answer = self.worker.claim_one(row)
        self.sql("update sendcode.delivery set deadline = now() - interval '1 s'"
                 " where job_id = %s", row["job_id"])
        ended = self.worker.record_one(row, answer, "retry", retry_after=5)
        self.assertEqual((ended.applied, ended.state, ended.reason, ended.retry_after),
                         (True, "expired", "deadline", None))
        self.assertEqual(self.verify(answer.nonce).verdict, "none")

    def test_the_same_call_again_gives_the_same_answer_and_changes_nothing(self):
        for state in ("sent", "retry", "rejected", "limited", "expired", "in_doubt"):
            with self.subTest(state=state):
                self.setUp()
                row = self.job()
                result = self.worker.result(row, self.worker.claim_one(row), state)
                first = self.worker.record(result)
                challenge = self.challenge()
                self.assertEqual(self.worker.record(result), first)
                self.assertEqual(self.challenge(), challenge)
                self.assertEqual(self.sql("select count(*) from sendcode.attempt"
                                          " where job_id = %s", row["job_id"])[0][0], 1)
                self.assertTrue(first[0].applied)

    def test_a_decision_repeated_after_the_job_moved_on_says_where_it_is(self):
        row = self.job()
        result = self.worker.result(row, self.worker.claim_one(row), "retry")
        self.worker.record(result)
        self.worker.claim_one(self.job())
        answer = self.worker.record(result)[0]
        self.assertEqual((answer.applied, answer.state), (True, "superseded"))

    def test_a_job_that_is_not_there_is_answered_without_a_status(self):
        row = self.job()
        answer = self.worker.claim_one(row)
        gone = self.worker.result(self.job(), answer, "sent")
        first, second = self.worker.record(gone, self.worker.result(row, answer, "sent"))
        self.assertEqual((first.applied, first.job_id), (False, None))
        self.assertEqual((second.applied, second.state), (True, "sent"))

    def test_a_batch_is_answered_row_by_row(self):
        rows = [self.job(phone=f"+861380001{i:04d}") for i in range(60)]
        states = ("sent", "retry", "rejected", "in_doubt", "limited", "expired")
        answers = self.worker.claim(*rows)
        recorded = self.worker.record(*[self.worker.result(r, a, states[i % 6])
                                        for i, (r, a) in enumerate(zip(rows, answers))])
        self.assertEqual([(a.job_id, a.state) for a in recorded],
                         [(r["job_id"], states[i % 6]) for i, r in enumerate(rows)])

    def test_two_jobs_of_a_phone_in_a_batch_are_recorded_one_after_the_other(self):
        first = self.job()
        one, _ = self.worker.send(first, "in_doubt")
        self.sql("update sendcode.challenge set busy_until = null where phone = %s", self.phone)
        second = self.job(resend_same=False)
        two = self.worker.claim_one(second)
        answers = self.worker.record(self.worker.result(first, one, "sent"),
                                     self.worker.result(second, two, "sent"))
        self.assertEqual([a.state for a in answers], ["sent", "sent"])
        self.assertEqual(self.challenge().live_job_id, second["job_id"])
        self.assertIsNone(self.challenge().next_job_id)


class Fences(DatabaseTest):
    def setUp(self):
        super().setUp()
        self.row = self.job()
        self.answer = self.worker.claim_one(self.row)
        self.heir = Worker(self.dbname, "heir")
        self.addCleanup(self.heir.connection.close)

    def outbox(self):
        return [r.job_id for r in self.sql("select job_id from sendcode.outbox order by id")]

    def test_a_former_owners_decision_moves_nothing_but_is_kept(self):
        answer = self.worker.record_one(self.row, self.answer, "rejected")
        self.assertEqual((answer.applied, answer.state, answer.seq), (False, "claimed", 1))
        attempt = self.sql("select outcome, moved from sendcode.attempt where job_id = %s",
                           self.row["job_id"])[0]
        self.assertEqual(tuple(attempt), ("refused", False))
        self.assertFalse(self.worker.record_one(self.row, self.answer, "rejected").applied)

    def test_a_former_owners_fact_holds_and_goes_to_the_outbox(self):
        answer = self.worker.record_one(self.row, self.answer, "sent")
        self.assertEqual((answer.applied, answer.state), (True, "sent"))
        self.assertIn(self.row["job_id"], self.outbox())
        self.row["epoch"] = self.heir.epochs[0]
        self.assertEqual(self.heir.claim_one(self.row).state, "sent")

    def test_an_owners_fact_needs_no_outbox(self):
        row = self.job()
        row["epoch"] = self.heir.epochs[0]
        self.sql("update sendcode.challenge set busy_until = null where phone = %s", self.phone)
        self.heir.record_one(row, self.heir.claim_one(row), "sent")
        self.assertNotIn(row["job_id"], self.outbox())

    def test_an_owners_fact_about_a_parked_job_goes_to_the_outbox(self):
        row = self.job(scene="register", phone=self.phone + "0")
        row["epoch"] = self.heir.epochs[0]
        answer = self.heir.claim_one(row)
        self.heir.record_one(row, answer, "in_doubt")
        self.assertNotIn(row["job_id"], self.outbox())
        self.heir.record_one(row, answer, "sent")
        self.assertIn(row["job_id"], self.outbox())

    def test_evidence_of_an_attempt_grows_and_is_never_weakened(self):
        self.age(20)
        self.row["epoch"] = self.heir.epochs[0]
        self.heir.claim_one(self.row)
        late = {**self.row, "epoch": self.worker.epochs[0]}
        for state, outcome in (("rejected", "refused"), ("sent", "accepted"),
                               ("in_doubt", "accepted"), ("rejected", "accepted")):
            self.worker.record_one(late, self.answer, state)
            kept = self.sql("select outcome from sendcode.attempt where job_id = %s",
                            self.row["job_id"])
            self.assertEqual([k.outcome for k in kept], [outcome], state)

    def test_a_fact_settles_a_doubt(self):
        self.age(20)
        self.row["epoch"] = self.heir.epochs[0]
        self.assertEqual(self.heir.claim_one(self.row).state, "in_doubt")
        answer = self.worker.record_one({**self.row, "epoch": self.worker.epochs[0]},
                                        self.answer, "sent")
        self.assertEqual((answer.applied, answer.state, answer.seq), (True, "sent", 3))
        self.assertEqual(self.sql("select 1 from sendcode.parked where job_id = %s",
                                  self.row["job_id"]), [])
        self.assertIn(self.row["job_id"], self.outbox())
        self.assertEqual(self.verify(self.answer.nonce).verdict, "ok")

    def test_a_fact_moves_even_a_final_job(self):
        for state in ("rejected", "limited", "expired", "superseded", "unknown"):
            with self.subTest(state=state):
                self.sql("update sendcode.delivery set state = %s where job_id = %s", state,
                         self.row["job_id"])
                self.sql("delete from sendcode.outbox")
                answer = self.worker.record_one(self.row, self.answer, "sent")
                self.assertEqual((answer.applied, answer.state), (True, "sent"))
                self.assertEqual(self.outbox(), [self.row["job_id"]])

    def test_a_second_acceptance_is_a_duplicate_send_and_changes_nothing_else(self):
        self.sql("update sendcode.delivery set state = 'retry', attempts = 1 where job_id = %s",
                 self.row["job_id"])
        self.sql("update sendcode.challenge set busy_until = null where phone = %s", self.phone)
        self.row["epoch"] = self.heir.epochs[0]
        second = self.heir.claim_one(self.row)
        sent = self.heir.record_one(self.row, second, "sent", serial_no="second")
        late = {**self.row, "epoch": self.worker.epochs[0]}
        for _ in range(2):
            answer = self.worker.record_one(late, self.answer, "sent", serial_no="first")
            self.assertEqual((answer.applied, answer.duplicate_send), (False, True))
            self.assertEqual((answer.state, answer.seq, answer.serial_no),
                             ("sent", sent.seq, "second"))
        self.assertTrue(self.delivery(self.row).duplicate_send)
        self.assertEqual([r.what for r in self.sql("select * from sendcode.timeline(%s)",
                                                   self.row["job_id"])].count("duplicate_send"), 1)
        self.assertEqual(len(self.sql("select 1 from sendcode.attempts where job_id = %s"
                                      " and outcome = 'accepted'", self.row["job_id"])), 2)

    def test_a_receipts_state_stands_when_the_acceptance_comes_later(self):
        self.sql("update sendcode.delivery set state = 'delivered' where job_id = %s",
                 self.row["job_id"])
        answer = self.worker.record_one(self.row, self.answer, "sent")
        self.assertEqual((answer.applied, answer.duplicate_send, answer.state),
                         (True, False, "delivered"))
        self.assertEqual(self.delivery(self.row).accepted_attempt, 1)


if __name__ == "__main__":
    unittest.main()

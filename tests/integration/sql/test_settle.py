"""sendcode.settle: what the provider's records make of a job in doubt."""
import unittest

from parking import ParkingTest, found, refused, seconds
from support import Worker


class Found(ParkingTest):
    def test_one_accepted_record_makes_the_job_sent_as_a_fact(self):
        row, answer = self.doubt(traceparent="00-aa-bb-01")
        before = self.attempt(row)
        told = self.ask(row, found("S1", 2.5))
        self.assertEqual((told.how, told.state, told.serial_no, told.provider_code, told.seq),
                         ("sent", "sent", "S1", "Ok", 3))
        self.assertEqual((told.job_id, told.phone, told.scene, told.attempt, told.traceparent),
                         (row["job_id"], self.phone, "login", 1, "00-aa-bb-01"))
        stored, after = self.delivery(row), self.attempt(row)
        self.assertAlmostEqual(seconds(stored.accepted_at, stored.claimed_at), 2.5, delta=2)
        self.assertEqual((after.outcome, after.serial_no), ("accepted", "S1"))
        for name in ("at", "duration_ms", "request_id", "worker", "fee"):
            self.assertEqual(getattr(after, name), getattr(before, name), name)
        self.assertIsNone(self.parked(row))
        self.assertEqual(self.outbox(), [row["job_id"]])
        self.assertEqual(self.verify(answer.nonce).job_id, row["job_id"])

    def test_nobody_was_told_what_it_cost_and_the_day_says_so(self):
        row, _ = self.doubt(scene="unpriced")
        self.ask(row, found("S1"))
        self.worker.send(self.job(scene="unpriced", phone="+8613912345678"), fee=2)
        self.check_unpriced(row)
        # As rows from before version 33 have it.
        self.sql("update sendcode.delivery set segments = 0 where job_id = %s", row["job_id"])
        self.sql("update sendcode.attempt set fee = 0 where job_id = %s", row["job_id"])
        self.check_unpriced(row)

    def check_unpriced(self, row):
        self.assertEqual(
            [tuple(d) for d in self.sql("select sent, segments, unpriced from sendcode.daily"
                                        " where scene = 'unpriced'")], [(2, 2, 1)])
        self.assertEqual(self.sql("select d.segments, a.fee from sendcode.deliveries d"
                                  " join sendcode.attempts a using (job_id, day) where job_id = %s",
                                  row["job_id"]), [(None, None)])

    def test_it_was_not_accepted_before_its_attempt_began(self):
        """The provider's clock and its whole seconds put a record before the request."""
        row, _ = self.doubt()
        self.assertEqual(self.ask(row, found("S1", -1.5)).how, "sent")
        stored = self.delivery(row)
        self.assertGreaterEqual(stored.accepted_at, stored.claimed_at)
        self.assertLess(seconds(stored.accepted_at, self.attempt(row).at), 0.1)

    def test_its_code_goes_live_and_kills_the_earlier_one(self):
        for make in (self.doubt, self.unknown):
            with self.subTest(make=make.__name__):
                self.setUp()
                earlier, _ = self.worker.send(self.job())
                row, answer = make(resend_same=False)
                self.assertEqual(self.ask(row, found("S1")).how, "sent")
                challenge = self.challenge()
                self.assertEqual((challenge.live_job_id, challenge.next_job_id,
                                  challenge.doubt_job_id, challenge.busy_until),
                                 (row["job_id"], None, None, None))
                self.assertEqual(self.verify(earlier.nonce).verdict, "wrong")
                self.assertEqual(self.verify(answer.nonce).verdict, "ok")

    def test_the_attempt_of_a_dead_worker_keeps_what_is_known_of_it(self):
        row = self.job()
        self.worker.claim_one(row)
        self.age(25)
        self.worker.take([0])
        self.assertEqual(self.again(row).state, "in_doubt")
        self.assertEqual(self.ask(row, found("S1", 1)).how, "sent")
        after = self.attempt(row)
        self.assertEqual((after.outcome, after.worker, after.duration_ms, after.http_status),
                         ("accepted", "w1", None, None))

    def test_a_row_parked_without_its_topic_and_code_is_settled_as_well(self):
        row, _ = self.doubt()
        self.sql("update sendcode.parked set topic = null, code_id = null")
        self.assertEqual(self.ask(row, found("S1")).how, "sent")

    def test_a_refused_record_moves_the_job_by_its_code(self):
        for state, reason in (("rejected", "number"), ("limited", "provider_limit")):
            with self.subTest(state=state):
                self.setUp()
                row, answer = self.doubt(cooldown=60)
                told = self.ask(row, refused(state, reason))
                self.assertEqual((told.how, told.state, told.reason, told.provider_code),
                                 ("refused", state, reason, "X.Y"))
                self.assertEqual((self.attempt(row).outcome, self.attempt(row).provider_code),
                                 ("refused", "X.Y"))
                self.assertIsNone(self.parked(row))
                self.assertEqual(self.outbox(), [row["job_id"]])
                self.assertEqual(self.verify(answer.nonce).verdict, "none")
                self.assertEqual(self.worker.claim_one(self.job(cooldown=60)).verdict, "send")

    def test_a_refusal_that_lets_it_be_tried_again_waits_for_the_end_of_grace(self):
        row, _ = self.doubt(age=10)
        self.assertEqual(self.ask(row, refused("retry")).how, "open")
        self.age(20)
        self.assertEqual(self.ask(row, refused("retry"), whole=False).how, "open")
        told = self.ask(row, refused("retry"))
        self.assertEqual((told.how, told.state), ("refused", "retry"))
        self.assertEqual(self.again(row).verdict, "send")

    def test_a_refusal_that_says_nothing_for_certain_leaves_the_doubt(self):
        row, _ = self.doubt()
        told = self.ask(row, refused("in_doubt"))
        self.assertEqual((told.how, told.state), ("ambiguous", "in_doubt"))


class Silence(ParkingTest):
    def test_late_and_whole_it_is_tried_again_with_the_same_code(self):
        row, first = self.doubt()
        told = self.ask(row)
        self.assertEqual((told.how, told.state, told.seq), ("unsent", "retry", 3))
        self.assertEqual(self.attempt(row).outcome, "not_sent")
        self.assertEqual(self.outbox(), [row["job_id"]])
        challenge = self.challenge()
        self.assertEqual((challenge.next_job_id, challenge.next_state, challenge.busy_until,
                          challenge.doubt_job_id), (row["job_id"], "retry", None, None))
        taken = self.take_one(row)
        self.assertEqual((taken.kind, taken.attempt, taken.epoch, taken.offset, taken.partition),
                         ("retry", 1, self.worker.epochs[0], row["offset"], 0))
        again = self.again(row)
        self.assertEqual((again.verdict, again.attempt), ("send", 2))
        self.assertEqual(bytes(again.nonce), bytes(first.nonce))
        self.worker.record_one(row, again, "sent")
        self.release(taken)
        self.assertIsNone(self.parked(row))

    def test_it_expires_when_its_deadline_is_over(self):
        row, answer = self.doubt(cooldown=60)
        self.sql("update sendcode.delivery set deadline = now() - interval '1 ms'"
                 " where job_id = %s", row["job_id"])
        told = self.ask(row)
        self.assertEqual((told.how, told.state, told.reason), ("unsent", "expired", "deadline"))
        self.assertIsNone(self.parked(row))
        self.assertEqual(self.verify(answer.nonce).verdict, "none")
        self.assertEqual(self.worker.claim_one(self.job(cooldown=60)).verdict, "send")

    def test_early_or_partial_it_means_nothing(self):
        for age, whole in ((12, True), (30, False)):
            with self.subTest(age=age):
                self.setUp()
                row, _ = self.doubt(age=age)
                told = self.ask(row, whole=whole, why=None if whole else "a page is missing")
                self.assertEqual((told.how, told.state, told.seq), ("open", "in_doubt", 2))
                self.assertEqual(self.attempt(row).settlement[0]["why"],
                                 None if whole else "a page is missing")

    def test_the_grace_counts_from_the_taking_of_the_lease(self):
        row, _ = self.doubt(age=12)
        taken = self.take_one(row)
        self.age(18)
        self.assertEqual(self.settle(taken).how, "open")
        self.assertEqual(self.ask(row).how, "unsent")

    def test_it_suffices_not_where_resending_is_off(self):
        row, _ = self.doubt()
        told = self.ask(row, resend=False)
        self.assertEqual((told.how, told.state), ("open", "in_doubt"))
        self.assertEqual(self.ask(row, found("S1"), resend=False).how, "sent")

    def test_a_code_that_verified_was_sent(self):
        row, answer = self.doubt()
        self.assertEqual(self.verify(answer.nonce).job_id, row["job_id"])
        self.assertEqual(self.ask(row).how, "open")
        self.assertEqual(self.ask(row, refused("rejected", "number")).how, "ambiguous")
        self.age(31)
        self.sql("select * from sendcode.sweep()")
        self.assertEqual(self.delivery(row).state, "unknown")
        self.assertEqual(self.ask(row).how, "open")
        self.assertEqual(self.ask(row, found("S1")).how, "sent")

    def test_a_former_owner_that_did_not_send_needs_no_silence(self):
        row = self.job()
        answer = self.worker.claim_one(row)
        self.age(21)
        heir = Worker(self.dbname, "heir")
        self.addCleanup(heir.connection.close)
        self.assertEqual(heir.claim_one({**row, "epoch": heir.epochs[0]}).state, "in_doubt")
        self.worker.record_one(row, answer, "retry")
        self.assertEqual(self.ask(row, whole=False, resend=False).how, "unsent")
        self.assertEqual(self.delivery(row).state, "retry")


class Unknown(ParkingTest):
    def test_shown_unsent_or_refused_it_stays_with_its_evidence(self):
        for records, outcome in (((), "not_sent"), ((refused("rejected", "number"),), "refused")):
            with self.subTest(outcome=outcome):
                self.setUp()
                row, answer = self.unknown(cooldown=60)
                self.sql("delete from sendcode.outbox")
                told = self.ask(row, *records)
                self.assertEqual((told.how, told.state, told.seq),
                                 ("unsent" if not records else "refused", "unknown", 3))
                self.assertEqual(self.attempt(row).outcome, outcome)
                self.assertEqual(len(self.attempt(row).settlement), 1)
                self.assertIsNone(self.parked(row))
                self.assertEqual(self.outbox(), [])
                self.assertEqual(self.verify(answer.nonce).verdict, "none")
                self.assertEqual(self.worker.claim_one(self.job(cooldown=60)).reason, "cooldown")

    def test_undecided_it_is_asked_about_more_and_more_seldom(self):
        row, _ = self.unknown()
        waits = []
        for _ in range(8):
            self.ask(row, whole=False)
            parked = self.parked(row)
            waits.append(seconds(parked.ask_at, parked.leased_at))
        self.assert_waits(waits, [60, 120, 240, 480, 960, 1920, 3600, 3600])

    def test_it_leaves_a_newer_jobs_code_alone(self):
        row, _ = self.unknown()
        newer, _ = self.worker.send(self.another(resend_same=False), serial_no="S9")
        told = self.ask(row, found("S9", 30))
        self.assertEqual((told.how, told.state), ("unsent", "unknown"))
        self.assertEqual(self.verify(newer.nonce).verdict, "ok")


class Waiting(ParkingTest):
    def test_a_doubt_is_asked_about_later_and_later(self):
        row, _ = self.doubt(age=40)
        waits = []
        for _ in range(6):
            self.ask(row, whole=False)
            parked = self.parked(row)
            self.assertIsNone(parked.lease_until)
            waits.append(seconds(parked.ask_at, parked.leased_at))
        self.assert_waits(waits, [2, 4, 8, 16, 30, 30])

    def test_it_is_asked_about_as_soon_as_silence_means_something(self):
        row, _ = self.doubt(age=2)
        for _ in range(5):
            self.ask(row)
        parked, stored = self.parked(row), self.delivery(row)
        self.assertAlmostEqual(seconds(parked.ask_at, stored.not_after), 6, delta=0.01)

    def test_answers_that_say_the_same_are_kept_once(self):
        row, _ = self.doubt(age=2)
        for whole in (True, True, False, True):
            self.ask(row, whole=whole)
        kept = self.attempt(row).settlement
        self.assertEqual([(k["whole"], "since" in k) for k in kept],
                         [(True, True), (False, False), (True, False)])
        told = [r.detail for r in self.sql("select * from sendcode.timeline(%s)", row["job_id"])
                if r.what == "settlement"]
        self.assertEqual(len(told), 3)
        self.assertIn("1: open, DescribeSendRecordList by settler, 0 records", told[1])
        self.assertEqual(self.sql("select settlement from sendcode.attempts where job_id = %s",
                                  row["job_id"])[0].settlement, kept)

    def test_a_call_repeated_for_a_lost_answer_is_judged_alike_or_passed(self):
        row, _ = self.doubt(age=10)
        taken = self.take_one(row)
        for _ in range(2):
            self.assertEqual(self.settle(taken).how, "open")
        self.assertEqual(len(self.attempt(row).settlement), 1)
        for _ in range(2):
            how = self.settle(taken, found("S1")).how
        self.assertEqual((how, self.outbox()), ("passed", [row["job_id"]]))
        row, _ = self.doubt(scene="register")
        taken = self.take_one(row)
        self.settle(taken)
        self.assertEqual(tuple(self.settle(taken)), ("passed",) + (None,) * 13)
        self.assertEqual(self.parked(row).kind, "retry")

    def test_what_moved_on_is_passed(self):
        row, answer = self.doubt()
        taken = self.take_one(row)
        self.assertEqual(self.settle(taken, lease=taken.lease - 1).how, "passed")
        self.assertEqual(self.settle(taken, attempt=2).how, "passed")
        self.worker.record_one(row, answer, "sent")
        self.assertEqual(self.settle(taken).how, "passed")
        self.assertEqual(self.delivery(row).state, "sent")

    def test_rows_that_cannot_be_are_left_and_hold_nobody(self):
        for change in ("delivery set not_after = null", "delivery set claimed_at = null",
                       "delivery set not_after = claimed_at - interval '1 s'",
                       "delivery set state = 'retry'", "delivery set state = 'sent'",
                       "parked set scene = 'another'", "parked set kind = 'unknown'"):
            with self.subTest(change=change):
                self.setUp()
                row, _ = self.doubt()
                good = self.job(phone=self.phone + "0")
                self.worker.send(good, "in_doubt")
                self.sql("update sendcode.parked set ask_at = now()")
                self.sql(f"update sendcode.{change} where job_id = %s", row["job_id"])
                before, taken = self.delivery(row), {t.job_id: t for t in self.take()}
                odd = taken[row["job_id"]]._replace(claimed_ago_ms=0)
                self.assertEqual(tuple(self.settle(odd)), ("odd",) + (None,) * 13)
                self.assertEqual(self.delivery(row), before)
                self.assertEqual(self.take(), [])
                parked = self.parked(row)
                self.assert_waits([seconds(parked.ask_at, parked.leased_at)], [60])
                self.assertEqual(self.settle(taken[good["job_id"]], found("S")).how, "sent")


if __name__ == "__main__":
    unittest.main()

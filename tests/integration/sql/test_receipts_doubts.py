"""Receipts settle doubts, where it is certain whose they are."""
import unittest

from parking import found
from receiving import ReceivingTest, receipt
from support import ago


class Doubts(ReceivingTest):
    def test_it_settles_the_one_that_it_could_be_and_its_code_goes_live(self):
        for make in (self.doubt, self.unknown):
            for status, state in (("SUCCESS", "delivered"), ("FAIL", "undelivered")):
                with self.subTest(make=make.__name__, state=state):
                    self.setUp()
                    earlier, _ = self.worker.send(self.job())
                    row, answer = make(resend_same=False)
                    seq = self.delivery(row).seq
                    self.sql("delete from sendcode.outbox")
                    self.receive(receipt("S1", self.phone, status))
                    self.assertEqual(self.join(), (1, 0, 0, 0))
                    told = self.delivery(row)
                    self.assertEqual((told.state, told.serial_no, told.seq, told.accepted_attempt),
                                     (state, "S1", seq + 2, 1))
                    self.assertTrue(told.claimed_at <= told.accepted_at <= told.receipt_at)
                    attempt = self.attempt(row)
                    self.assertEqual((attempt.outcome, attempt.serial_no,
                                      attempt.settlement[-1]["action"]),
                                     ("accepted", "S1", "receipt"))
                    self.assertIsNone(self.parked(row))
                    self.assertEqual(self.outbox(), [row["job_id"]])
                    self.assertEqual(self.challenge().live_job_id, row["job_id"])
                    self.assertEqual(self.verify(earlier.nonce).verdict, "wrong")
                    self.assertEqual(self.verify(answer.nonce).job_id, row["job_id"])

    def test_it_frees_the_phone_and_is_never_sent_again(self):
        row, _ = self.doubt(age=2)
        taken = self.take_one(row)
        self.assertEqual(self.worker.claim_one(self.another(scene="x")).verdict, "busy")
        self.receive(receipt("S1", self.phone))
        self.join()
        self.assertEqual(self.settle(taken).how, "passed")
        self.assertEqual(self.again(row).verdict, "known")
        self.assertEqual(self.worker.claim_one(self.another(scene="x")).verdict, "send")

    def test_one_that_is_unknown_for_longer_than_it_is_asked_about(self):
        row, _ = self.unknown()
        self.age(80 * 3600)
        self.sql("delete from sendcode.parked")
        self.receive(receipt("S1", self.phone, at=ago(78 * 3600)))
        self.assertEqual((self.join(), self.state(row)), ((1, 0, 0, 0), "delivered"))

    def test_one_that_the_phone_had_before_the_claim_is_another_messages(self):
        row, _ = self.doubt(age=30)
        self.receive(receipt("S1", self.phone, at=ago(40)))
        self.look(5)
        self.assertEqual((self.matches(), self.state(row)), (["orphan"], "in_doubt"))

    def test_one_that_comes_days_later_is_another_messages(self):
        row, _ = self.unknown()
        self.age(73 * 3600)
        self.receive(receipt("S1", self.phone))
        self.look(5)
        self.assertEqual((self.matches(), self.state(row)), (["orphan"], "unknown"))

    def test_a_message_of_another_job_settles_no_doubt(self):
        sent, serial = self.sent()
        row, _ = self.doubt(age=2)
        self.receive(receipt(serial, self.phone))
        self.assertEqual(self.join(), (1, 0, 0, 0))
        self.assertEqual((self.state(sent), self.state(row)), ("delivered", "in_doubt"))

    def test_of_two_that_it_could_be_neither_is_chosen(self):
        first, _ = self.unknown()
        self.age(100)
        second, _ = self.doubt()
        self.receive(receipt("S1", self.phone))
        self.assertEqual(self.look(6), (0, 0, 0, 1))
        self.assertEqual((self.state(first), self.state(second)), ("unknown", "in_doubt"))
        self.assertEqual(self.ask(second, found("S1")).how, "sent")
        self.assertEqual(self.look(), (1, 0, 0, 0))
        self.assertEqual((self.state(first), self.state(second)), ("unknown", "delivered"))

    def assert_ambiguous(self, row, state):
        self.assertEqual((self.matches(), self.state(row)), ([None, None], state))
        said = self.attempt(row).settlement
        self.assertEqual([(e["action"], e["how"], [r["serial_no"] for r in e["records"]])
                          for e in said if e["action"] == "receipt"],
                         [("receipt", "ambiguous", ["S1", "S2"])])

    def test_of_two_messages_that_could_be_its_own_neither_settles_it_nor_does_silence(self):
        for make, state in ((self.doubt, "in_doubt"), (self.unknown, "unknown")):
            with self.subTest(state=state):
                self.setUp()
                row, answer = make()
                self.receive(receipt("S1", self.phone), receipt("S2", self.phone))
                self.assertEqual(self.look(7), (0, 0, 0, 2))
                self.assert_ambiguous(row, state)
                self.assertEqual(self.ask(row).how, "ambiguous")
                self.assertEqual(self.ask(row, found("S1"), found("S2")).how, "ambiguous")
                self.assertEqual(self.state(row), state)
                self.assertEqual(self.again(row).verdict, "known")
                self.assertEqual(self.ask(row, found("S2")).how, "sent")
                self.look(6)
                self.assertEqual((self.matches(), self.state(row)),
                                 (["orphan", "joined"], "delivered"))
                self.assertEqual(self.verify(answer.nonce).job_id, row["job_id"])

    def test_two_messages_that_come_apart_while_it_is_claimed_are_judged_together(self):
        row = self.job()
        answer = self.worker.claim_one(row)
        self.receive(receipt("S1", self.phone))
        self.look(4)
        self.worker.record_one(row, answer, "in_doubt", http_status=0)
        self.receive(receipt("S2", self.phone))
        self.assertEqual(self.join(), (0, 0, 0, 2))
        self.assert_ambiguous(row, "in_doubt")

    def test_a_second_message_after_the_first_settled_it_is_kept_as_nobodys(self):
        row, _ = self.doubt()
        self.receive(receipt("S1", self.phone, "FAIL"))
        self.join()
        self.receive(receipt("S2", self.phone))
        self.look(6)
        self.assertEqual((self.matches(), self.state(row), self.delivery(row).serial_no),
                         (["joined", "orphan"], "undelivered", "S1"))

    def test_of_two_messages_the_first_keeps_what_silence_called_unsent_from_a_second_send(self):
        row, _ = self.doubt()
        self.assertEqual(self.ask(row).how, "unsent")
        self.receive(receipt("S1", self.phone), receipt("S2", self.phone))
        self.assertEqual(self.join(), (1, 0, 0, 1))
        self.assertEqual((self.state(row), self.delivery(row).serial_no), ("delivered", "S1"))
        self.assertEqual(self.again(row).verdict, "known")
        self.assertEqual([e["how"] for e in self.attempt(row).settlement],
                         ["unsent", "ambiguous", "sent"])

    def test_receipts_of_one_message_contradict_nothing(self):
        row, _ = self.doubt()
        self.receive(receipt("S1", self.phone), receipt("S1", self.phone, "FAIL"))
        self.assertEqual((self.join(), self.state(row)), ((1, 1, 0, 0), "delivered"))

    def test_by_their_times_two_at_once_may_be_of_two_jobs(self):
        first, _ = self.unknown()
        self.age(100)
        second, _ = self.doubt()
        self.receive(receipt("S1", self.phone, at=ago(100)), receipt("S2", self.phone))
        self.look(2)
        self.assertEqual((self.delivery(first).serial_no, self.delivery(second).serial_no),
                         ("S1", "S2"))

    def test_by_its_time_it_may_be_one_of_them_alone(self):
        first, _ = self.unknown()
        self.age(100)
        second, _ = self.doubt()
        self.receive(receipt("S1", self.phone, at=ago(100)))
        self.assertEqual(self.join(), (1, 0, 0, 0))
        self.receive(receipt("S2", self.phone))
        self.assertEqual(self.join(), (1, 0, 0, 0))
        self.assertEqual((self.delivery(first).serial_no, self.delivery(second).serial_no),
                         ("S1", "S2"))

    def test_it_shows_that_silence_was_wrong(self):
        row, _ = self.doubt()
        self.assertEqual(self.ask(row).how, "unsent")
        self.receive(receipt("S1", self.phone))
        self.assertEqual(self.join(), (1, 0, 0, 0))
        self.assertEqual((self.state(row), self.parked(row)), ("delivered", None))
        self.assertEqual(self.again(row).verdict, "known")

    def test_it_shows_that_silence_led_to_a_second_message(self):
        row, _ = self.doubt()
        self.assertEqual(self.ask(row).how, "unsent")
        self.worker.record_one(row, self.again(row), "sent", serial_no="S2")
        self.receive(receipt("S2", self.phone), receipt("S1", self.phone))
        self.assertEqual(self.join(), (1, 1, 0, 0))
        told = self.delivery(row)
        self.assertEqual((told.state, told.duplicate_send, told.serial_no),
                         ("delivered", True, "S2"))
        self.assertEqual(self.attempt(row).serial_no, "S1")

    def test_what_was_certainly_not_sent_is_no_candidate(self):
        row = self.job()
        self.worker.send(row, "retry")
        self.receive(receipt("S1", self.phone))
        self.look(5)
        self.assertEqual((self.matches(), self.state(row)), (["orphan"], "retry"))

    def test_a_code_that_verified_stays_verified(self):
        row, answer = self.doubt()
        self.assertEqual(self.verify(answer.nonce).job_id, row["job_id"])
        self.receive(receipt("S1", self.phone))
        self.assertEqual((self.join(), self.state(row)), ((1, 0, 0, 0), "delivered"))
        self.assertEqual(self.verify(answer.nonce).verdict, "none")
        self.assertIsNotNone(self.delivery(row).verified_at)


if __name__ == "__main__":
    unittest.main()

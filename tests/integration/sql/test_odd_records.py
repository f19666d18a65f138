"""sendcode.settle with records that are odd in every way: never a second send."""
import unittest

from parking import ParkingTest, found, refused


class Ambiguity(ParkingTest):
    def stays(self, row, *records, how="ambiguous", **given):
        """The job is in doubt as before, and is asked about again."""
        told = self.ask(row, *records, **given)
        self.assertEqual((told.how, told.state), (how, "in_doubt"), records)
        self.assertEqual(self.parked(row).kind, "in_doubt")
        self.assertEqual(self.attempt(row).outcome, "in_doubt")

    def test_records_that_could_both_be_it_never_lead_to_a_second_send(self):
        row, _ = self.doubt()
        for records in ((found("S1"), found("S2", 1)), (found("S1"), refused("retry", at=1)),
                        (refused("retry"), refused("retry", at=2)),
                        (found("S1"), refused("rejected", serial_no="S2")),
                        (found("S1"), found("", 1)), (found(""),),
                        (found("S1"), found("S1", 1, False, "retry", None, "X")),
                        (found("S1", 1, False, "retry", None, "X"),
                         found("S1", 1, False, "rejected", "number", "Y"))):
            self.stays(row, *records)

    def test_a_message_at_a_time_that_it_could_not_have_is_no_silence(self):
        row, _ = self.doubt()
        for at in (-8 * 3600, -7, 23, 8 * 3600, None):
            self.stays(row, found("S1", at))
        self.stays(row, refused("retry"), found("S1", 60))
        self.stays(row, ("S1", 1.0, None, None, None, "Ok"))
        self.stays(row, found("S1", None), found("S2", 1), found("S3", 2))

    def test_a_refusal_at_a_time_that_it_could_not_have_tells_nothing(self):
        for at in (-8 * 3600, 8 * 3600):
            row, _ = self.doubt()
            self.assertEqual(self.ask(row, refused("rejected", "number", at=at)).how, "unsent")
            self.setUp()

    def test_clocks_may_differ_by_five_seconds(self):
        for at in (-4.5, 21.5):
            self.setUp()
            row, _ = self.doubt()
            self.assertEqual(self.ask(row, found("S1", at)).how, "sent")

    def test_the_same_record_twice_is_one(self):
        row, _ = self.doubt()
        self.assertEqual(self.ask(row, found("S1", 1), found("S1", 2)).how, "sent")
        self.setUp()
        row, _ = self.doubt()
        told = self.ask(row, refused("limited", "provider_limit"),
                        refused("limited", "provider_limit"))
        self.assertEqual((told.how, told.state), ("refused", "limited"))

    def test_arrays_of_nothing_are_silence_and_no_more(self):
        row, _ = self.doubt()
        taken = self.take_one(row)
        told = self.sql("select * from sendcode.settle('w', %s, %s, %s, 1, 5000, true, false,"
                        " 'why', null, null, null, null, null, null)", taken.job_id, taken.day,
                        taken.lease)[0]
        self.assertEqual(told.how, "open")

    def test_a_record_of_two_doubtful_jobs_of_a_phone_settles_neither(self):
        first, _ = self.unknown()
        self.age(-12)  # claimed 18 seconds ago: its request can arrive no longer
        row = self.another()
        self.worker.send(row, "in_doubt")
        for job, at in ((row, -1), (first, 17.5)):
            told = self.ask(job, found("S1", at))
            self.assertEqual(told.how, "ambiguous")
        self.assertEqual(self.delivery(first).state, "unknown")
        self.assertEqual(self.delivery(row).state, "in_doubt")

    def test_a_message_under_way_for_another_job_is_not_taken_for_it(self):
        first, _ = self.unknown()
        self.age(-12)  # claimed 18 seconds ago: its request can arrive no longer
        second = self.another()
        answer = self.worker.claim_one(second)
        self.assertEqual(answer.verdict, "send")
        self.assertEqual(self.ask(first, found("S2", 18)).how, "ambiguous")
        self.worker.record_one(second, answer, "sent", serial_no="S2")
        self.age(5)
        self.assertEqual(self.ask(first, found("S2", 18)).how, "unsent")


class Explained(ParkingTest):
    def test_a_serial_no_of_the_phones_other_job_is_not_its(self):
        before = self.job()
        self.worker.send(before, serial_no="S0")
        row, _ = self.doubt()
        told = self.ask(row, found("S0", 0))
        self.assertEqual((told.how, told.state), ("unsent", "retry"))

    def test_with_it_beside_its_own_the_job_is_sent(self):
        self.worker.send(self.job(), serial_no="S0")
        row, _ = self.doubt()
        told = self.ask(row, found("S0", -1), found("S1", 1))
        self.assertEqual((told.how, told.serial_no), ("sent", "S1"))

    def test_the_jobs_own_serial_no_counts(self):
        row, answer = self.doubt()
        self.sql("update sendcode.attempt set outcome = 'accepted', serial_no = 'S1'"
                 " where job_id = %s", row["job_id"])
        told = self.ask(row, found("S1"))
        self.assertEqual((told.how, told.serial_no), ("sent", "S1"))
        self.assertEqual(self.verify(answer.nonce).verdict, "ok")

    def test_a_refusal_of_the_phones_other_job_tells_nothing_of_it(self):
        self.worker.send(self.job(), "rejected", reason="content", provider_code="X.Y")
        row, _ = self.doubt()
        told = self.ask(row, refused("rejected", "content", at=-0.5))
        self.assertEqual((told.how, told.state), ("unsent", "retry"))

    def test_a_refusal_of_its_own_earlier_attempt_tells_nothing_of_this_one(self):
        row = self.job()
        self.worker.send(row, "retry", outcome="refused", provider_code="X.Y", serial_no="R1")
        answer = self.worker.claim_one(row)
        self.worker.record_one(row, answer, "in_doubt", http_status=0)
        self.age(10)
        told = self.ask(row, refused("rejected", "content", at=-0.5, serial_no="R1"))
        self.assertEqual((told.how, told.state), ("open", "in_doubt"))
        self.assertEqual(self.ask(row, refused("rejected", "content", at=-0.5)).how, "open")


class EarlierAttempts(ParkingTest):
    """Records that come later than any should: after silence, and another attempt."""

    def twice_in_doubt(self, age=30, **given):
        row, answer = self.doubt()
        self.sql("update sendcode.delivery set deadline = deadline + interval '1 h'"
                 " where job_id = %s", row["job_id"])
        self.assertEqual(self.ask(row).how, "unsent")
        self.again_in_doubt(row, **given)
        self.age(age)
        return row, answer

    def again_in_doubt(self, row, **given):
        again = self.again(row)
        self.assertEqual(again.verdict, "send")
        self.worker.record_one(row, again, "in_doubt", **given)

    def test_the_taker_is_told_to_look_back_to_the_first_of_them(self):
        row, _ = self.twice_in_doubt()
        taken = self.take_one(row)
        self.assertEqual(taken.attempt, 2)
        self.assertGreater(taken.claimed_ago_ms, 59_000)

    def test_the_first_ones_record_makes_the_job_sent_not_sent_again(self):
        row, answer = self.twice_in_doubt()
        told = self.ask(row, found("S1", 1))
        self.assertEqual((told.how, told.state, told.serial_no), ("sent", "sent", "S1"))
        self.assertEqual(self.delivery(row).accepted_attempt, 1)
        self.assertEqual([self.attempt(row, n).outcome for n in (1, 2)], ["accepted", "in_doubt"])
        self.assertEqual(self.verify(answer.nonce).verdict, "ok")

    def test_so_does_it_beside_the_second_ones_refusal_for_frequency(self):
        row, _ = self.twice_in_doubt(provider_code="LimitExceeded")
        told = self.ask(row, found("S1", 1), refused("limited", "provider_limit", at=31))
        self.assertEqual((told.how, told.serial_no), ("sent", "S1"))
        self.assertEqual(self.delivery(row).accepted_attempt, 1)

    def test_with_both_accepted_it_is_ambiguous_and_not_sent_again(self):
        row, _ = self.twice_in_doubt()
        self.assertEqual(self.ask(row, found("S1", 1), found("S2", 31)).how, "ambiguous")

    def test_with_neither_it_is_tried_again(self):
        row, _ = self.twice_in_doubt()
        self.assertEqual(self.ask(row).how, "unsent")
        self.assertEqual(self.again(row).attempt, 3)


class Codes(ParkingTest):
    """A code that several jobs carried lives while one of them may have brought it."""

    def carried(self, times):
        """So many jobs that ended unknown, one after the other, all with one code."""
        rows, nonces = [], set()
        for _ in range(times):
            row, answer = self.unknown(ttl=3000)
            rows.append(row)
            nonces.add(bytes(answer.nonce))
        self.assertEqual(len(nonces), 1)
        return rows, nonces.pop()

    def test_each_shown_unsent_leaves_it_to_the_others_and_the_last_takes_it_along(self):
        rows, nonce = self.carried(3)
        for n, order in enumerate(((0, 1, 2), (2, 1, 0), (1, 2, 0))):
            if n:
                self.setUp()
                rows, nonce = self.carried(3)
            for left, which in zip((2, 1, 0), order):
                self.assertEqual(self.ask(rows[which]).how, "unsent", order)
                self.assertEqual(self.challenge().next_nonce is not None, left > 0, order)
            self.assertEqual(self.verify(nonce).verdict, "none")

    def test_a_job_refused_after_all_of_them_leaves_it_to_the_one_still_in_doubt(self):
        rows, nonce = self.carried(2)
        last, _ = self.worker.send(self.another(), "in_doubt")
        self.assertEqual(bytes(last.nonce), nonce)
        self.age(30)
        self.assertEqual(self.ask(rows[1]).how, "unsent")
        self.assertEqual(self.ask({"job_id": last.job_id}, refused("rejected", "number")).how,
                         "refused")
        self.assertEqual(self.verify(nonce).job_id, rows[0]["job_id"])

    def test_the_one_that_brought_it_makes_it_live_whoever_said_it_since(self):
        rows, nonce = self.carried(3)
        self.assertEqual(self.ask(rows[0], found("S1")).how, "sent")
        self.assertEqual(bytes(self.challenge().live_nonce), nonce)
        for row in rows[1:]:
            self.assertEqual(self.ask(row).how, "unsent")
        self.assertEqual(self.verify(nonce).job_id, rows[0]["job_id"])

    def test_another_code_in_the_next_place_is_nobodys_but_its_own(self):
        rows, nonce = self.carried(1)
        self.age(1480)
        newer = self.another()
        answer = self.worker.claim_one(newer)
        self.assertNotEqual(bytes(answer.nonce), nonce)
        self.worker.record_one(newer, answer, "retry")
        self.assertEqual(self.ask(rows[0]).how, "unsent")
        self.assertEqual(bytes(self.challenge().next_nonce), bytes(answer.nonce))
        again = self.worker.claim_one(newer)
        self.assertEqual(bytes(again.nonce), bytes(answer.nonce))


if __name__ == "__main__":
    unittest.main()
